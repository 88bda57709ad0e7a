<?php
// A text sent with the classes that PEAR had, here those of the stand-in beside this file.
//
//   php pear_style.php HOST PORT USER PASSWORD TO TEXT      prints the answer as JSON

require_once __DIR__ . '/XML/RPC.php';

[, $host, $port, $user, $password, $to, $text] = $argv;
$mobiles = new XML_RPC_Value([new XML_RPC_Value($to, 'string')], 'array');
$call = new XML_RPC_Message('send_message', [
    new XML_RPC_Value($user),
    new XML_RPC_Value($password),
    $mobiles,
    new XML_RPC_Value($text, 'base64'),
]);
echo json_encode((new XML_RPC_Client('/api2/', $host, (int) $port))->send($call)), "\n";
