using System;
using System.Collections.Specialized;
using System.Net;
using System.Text;
using System.Xml;

/// <summary>Sends one text through Orange's XML over HTTP.
/// mono OrangeSend.exe escaped|raw|form BASE KEY TO TEXT prints code, message and call id, one a line.
/// With "raw" the text goes into the address as it is, as careless programs did: what follows a # is lost.
/// With "form" it is posted, and .NET waits for "100 Continue" before it sends the body.</summary>
static class OrangeSend
{
    static int Main(string[] arguments)
    {
        var answer = new XmlDocument();
        using (var client = new WebClient())
        {
            answer.LoadXml(arguments[0] == "form" ? Post(client, arguments) : Get(client, arguments));
        }
        foreach (string name in new[] { "status_code", "status_msg", "call_id" })
        {
            XmlNodeList found = answer.GetElementsByTagName(name);
            Console.WriteLine(found.Count == 0 ? "" : found[0].InnerText);
        }
        return 0;
    }

    static string Get(WebClient client, string[] arguments)
    {
        string text = arguments[0] == "raw" ? arguments[4] : Uri.EscapeDataString(arguments[4]);
        return client.DownloadString(String.Format("{0}/sms/sendSMS.xml?id={1}&from=20345&to={2}&content={3}",
            arguments[1], arguments[2], arguments[3], text));
    }

    static string Post(WebClient client, string[] arguments)
    {
        var form = new NameValueCollection
        {
            { "id", arguments[2] }, { "to", arguments[3] }, { "content", arguments[4] },
        };
        return Encoding.UTF8.GetString(client.UploadValues(arguments[1] + "/sms/sendSMS.xml", form));
    }
}
