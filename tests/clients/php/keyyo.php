<?php
// Keyyo's sendsms.html over the curl library with HTTP Digest, the answer compared as the modules of shops do.
//
//   php keyyo.php BASE LINE PASSWORD TO TEXT      prints: sent, or the status and the answer

[, $base, $line, $password, $to, $text] = $argv;

$ch = curl_init("$base/sendsms.html?ACCOUNT=$line&CALLEE=$to&MSG=" . urlencode($text));
curl_setopt($ch, CURLOPT_HTTPAUTH, CURLAUTH_DIGEST);
curl_setopt($ch, CURLOPT_USERPWD, "$line:$password");
curl_setopt($ch, CURLOPT_RETURNTRANSFER, true);
$answer = curl_exec($ch);
echo $answer == 'OK' ? 'sent' : curl_getinfo($ch, CURLINFO_HTTP_CODE) . " $answer";
