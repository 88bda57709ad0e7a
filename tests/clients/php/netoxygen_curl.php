<?php
// The xmlrpc extension makes the request and curl carries it. Left to itself the extension takes each byte of the
// text for a character of Latin-1 and writes it as a numeric reference; with CHARSET the bytes go out as they are,
// under a declaration that names it.
//
//   php netoxygen_curl.php BASE USER PASSWORD TO TEXT [CHARSET]      prints the answer as JSON

[, $base, $user, $password, $to, $text] = $argv;
$options = isset($argv[6]) ? ['encoding' => $argv[6], 'escaping' => 'markup'] : [];

$connection = curl_init("$base/api2/");
curl_setopt_array($connection, [
    CURLOPT_POSTFIELDS => xmlrpc_encode_request('send_message', [$user, $password, $to, $text], $options),
    CURLOPT_HTTPHEADER => ['Content-Type: text/xml'],
    CURLOPT_RETURNTRANSFER => true,
    CURLOPT_TIMEOUT => 20,
]);
$body = curl_exec($connection);
if ($body === false) {
    fwrite(STDERR, curl_error($connection) . "\n");
    exit(1);
}
$answer = xmlrpc_decode($body, 'utf-8');
if (is_array($answer) && xmlrpc_is_fault($answer)) {
    fwrite(STDERR, "fault {$answer['faultCode']}: {$answer['faultString']}\n");
    exit(2);
}
echo json_encode($answer), "\n";
