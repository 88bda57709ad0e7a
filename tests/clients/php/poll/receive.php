<?php
// Called by the platform with each SMS that begins with our keyword: GET ?from=...&content=...
// A text with answers in it, A) ... B) ..., opens a poll and is passed on to the list; a single letter is a vote.
// Settings come from the environment: POLL_API (address of the platform), POLL_KEY, POLL_LIST (numbers, by commas).

require __DIR__ . '/ballot.php';

// The content is the whole text, keyword included.
[, $text] = explode(' ', trim($_GET['content'] ?? ''), 2) + ['', ''];
$from = $_GET['from'] ?? '';

if (preg_match_all('/\b([A-E])\)/', $text, $found) >= 2) {
    with_ballot(fn (array $ballot) => ['question' => $text, 'votes' => array_fill_keys($found[1], 0), 'told' => []]);
    foreach (explode(',', getenv('POLL_LIST')) as $member) {
        $parameters = ['id' => getenv('POLL_KEY'), 'to' => $member, 'content' => "$from asks: $text"];
        $body = file_get_contents(getenv('POLL_API') . '/sms/sendSMS.xml?' . http_build_query($parameters));
        $code = (string) simplexml_load_string($body)->status->status_code;
        with_ballot(fn (array $ballot) => ['told' => [...$ballot['told'], "$member $code"]] + $ballot);
    }
} else {
    $letter = strtoupper(substr(ltrim($text), 0, 1));
    with_ballot(function (array $ballot) use ($letter): array {
        if (isset($ballot['votes'][$letter])) {
            $ballot['votes'][$letter]++;
        }
        return $ballot;
    });
}
