<?php
// Where the poll is kept: one JSON file beside the scripts, locked while it is read and written.

/** Changes the poll under a lock; $change gets it as an array and returns it. */
function with_ballot(callable $change): array
{
    $file = fopen(__DIR__ . '/ballot.json', 'c+');
    flock($file, LOCK_EX);
    $ballot = json_decode(stream_get_contents($file) ?: 'null', true)
        ?? ['question' => '', 'votes' => [], 'told' => []];
    $ballot = $change($ballot);
    ftruncate($file, 0);
    rewind($file);
    fwrite($file, json_encode($ballot));
    fclose($file);
    return $ballot;
}
