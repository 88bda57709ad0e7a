<?php
// Orange over nothing but what PHP brings along: the address is put together by hand, SimpleXML reads the answer.
//
//   php orange.php BASE KEY send TO TEXT [SEPARATOR]     prints: code, message, call id, one a line
//   php orange.php BASE KEY history CALL_ID              prints: code, then the answer's elements as path=text
//   php orange.php BASE KEY conference MODE NUMBERS      prints: one code for creating it and one for each number rung
//
// SEPARATOR stands between the parameters. `&amp;` is what a listing copied out of a web page has there, and what
// many programs of that time therefore sent.

[, $base, $key, $verb] = $argv;

function ask(string $address): SimpleXMLElement
{
    // An answer other than HTTP 2xx makes this false: the old programs never saw its body.
    $body = file_get_contents($address);
    if ($body === false) {
        fwrite(STDERR, "no answer could be read\n");
        exit(1);
    }
    return simplexml_load_string($body);
}

function leaves(SimpleXMLElement $element, string $path = ''): void
{
    foreach ($element->children() as $name => $child) {
        if ($child->count() > 0) {
            leaves($child, "$path$name/");
        } else {
            echo "$path$name=$child\n";
        }
    }
}

if ($verb === 'send') {
    $between = $argv[6] ?? '&';
    $answer = ask("$base/sms/sendSMS.xml?id=$key{$between}to={$argv[4]}{$between}content=" . urlencode($argv[5]));
    echo $answer->status->status_code, "\n", $answer->status->status_msg, "\n", $answer->call_info->call_id, "\n";
} elseif ($verb === 'conference') {
    $mode = urlencode($argv[4]);
    $answer = ask("$base/conf/createConference.xml?id=$key&access_mode=$mode&duration=20");
    echo $answer->status->status_code, "\n";
    $conference = $answer->conference->id;
    foreach (explode(',', $argv[5]) as $number) {
        ask("$base/conf/addParticipant.xml?id=$key&conference_id=$conference&participants=$number");
        $answer = ask("$base/conf/createCall.xml?id=$key&conference_id=$conference&to=$number");
        echo $answer->status->status_code, "\n";
    }
} else {
    $answer = ask("$base/sms/getHistory.xml?id=$key&callid={$argv[4]}");
    echo $answer->status->status_code, "\n";
    leaves($answer);
}
