<?php
// CapitoleMobile as its manual shows: the XML is pasted together, encoded by utf8_encode whatever it is already, and
// posted in the field XML to /api/sendsms/xml by the curl library.
//
//   php capitole.php URL USERNAME PASSWORD TO TEXT latin9|utf8|plain      prints the answer
//
// The last word is the charset of the script's own file; `plain` sends UTF-8 as it is. PHP 8.2 complains of
// utf8_encode, and still does what it did.

[, $url, $username, $password, $to, $text, $file] = $argv;

function encode(string $bytes): string
{
    return @utf8_encode($bytes);
}

$xml = "<SMS>
<authentification>
<username>$username</username>
<password>$password</password>
</authentification>
<message>
<text>$text</text>
<sender>36111</sender>
<sender>123456</id>
</message>
<recipients>
<gsm>$to</gsm>
</recipients>
</SMS>";
if ($file === 'latin9') {
    $xml = encode(iconv('UTF-8', 'ISO-8859-15', $xml));
} elseif ($file === 'utf8') {
    $xml = encode($xml);
}
$ch = curl_init();
curl_setopt($ch, CURLOPT_URL, $url);
curl_setopt($ch, CURLOPT_POST, 1);
curl_setopt($ch, CURLOPT_POSTFIELDS, 'XML=' . urlencode($xml));
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
echo curl_exec($ch);
