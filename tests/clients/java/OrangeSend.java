import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLConnection;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.xpath.XPath;
import javax.xml.xpath.XPathFactory;
import org.w3c.dom.Document;

/**
 * Sends one text through Orange's XML over HTTP and reads the answer with XPath.
 *
 * <p>java OrangeSend.java GET|POST BASE KEY TO TEXT prints code, message and call id, one a line.
 */
class OrangeSend {
    public static void main(String[] arguments) throws Exception {
        Map<String, String> parameters = new LinkedHashMap<>();
        parameters.put("id", arguments[2]);
        parameters.put("to", arguments[3]);
        parameters.put("content", arguments[4]);
        String form = parameters.entrySet().stream()
                .map(entry -> entry.getKey() + "=" + URLEncoder.encode(entry.getValue(), StandardCharsets.UTF_8))
                .collect(Collectors.joining("&"));
        Document answer = ask(arguments[0], arguments[1] + "/sms/sendSMS.xml", form);
        XPath path = XPathFactory.newInstance().newXPath();
        for (String wanted : new String[] {"status/status_code", "status/status_msg", "call_info/call_id"}) {
            System.out.println(path.evaluate("/response/" + wanted, answer));
        }
    }

    private static Document ask(String method, String address, String form) throws Exception {
        URLConnection connection;
        if (method.equals("GET")) {
            connection = URI.create(address + "?" + form).toURL().openConnection();
        } else {
            connection = URI.create(address).toURL().openConnection();
            connection.setDoOutput(true);
            try (OutputStream body = connection.getOutputStream()) {
                body.write(form.getBytes(StandardCharsets.US_ASCII));
            }
        }
        // Throws for every HTTP status from 400 on, so an error must come as 200 to be read at all.
        try (InputStream body = connection.getInputStream()) {
            return DocumentBuilderFactory.newInstance().newDocumentBuilder().parse(body);
        }
    }
}
