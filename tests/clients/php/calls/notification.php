<?php
// A page behind a line's notification URL: it keeps what it is told, in the order in which it is told.
$told = array_map(fn ($name) => $name . '=' . ($_GET[$name] ?? ''), ['account', 'caller', 'callee', 'type']);
file_put_contents(__DIR__ . '/told.txt', implode(' ', $told) . "\n", FILE_APPEND | LOCK_EX);
echo 'insertion ok';
