using System;
using System.Net;
using System.Xml;

/// <summary>Sends one text through Orange's XML over HTTP.
/// mono OrangeSend.exe escaped|raw BASE KEY TO TEXT prints code, message and call id, one a line.
/// With "raw" the text goes into the address as it is, as careless programs did: what follows a # is lost.</summary>
static class OrangeSend
{
    static int Main(string[] arguments)
    {
        string text = arguments[0] == "raw" ? arguments[4] : Uri.EscapeDataString(arguments[4]);
        string address = String.Format("{0}/sms/sendSMS.xml?id={1}&from=20345&to={2}&content={3}",
            arguments[1], arguments[2], arguments[3], text);
        var answer = new XmlDocument();
        using (var client = new WebClient())
        {
            answer.LoadXml(client.DownloadString(address));
        }
        foreach (string name in new[] { "status_code", "status_msg", "call_id" })
        {
            XmlNodeList found = answer.GetElementsByTagName(name);
            Console.WriteLine(found.Count == 0 ? "" : found[0].InnerText);
        }
        return 0;
    }
}
