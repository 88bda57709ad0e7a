<?php
// Everything a NetOxygen customer does with one message, over the bare socket.
//
//   php netoxygen_flow.php HOST PORT USER PASSWORD TO TEXT      prints one line of JSON per step, `name: value`

require_once __DIR__ . '/socket_rpc.php';

[, $host, $port, $user, $password, $to, $text] = $argv;

$call = fn (string $method, mixed ...$more): mixed
    => rpc_call($host, (int) $port, '/api2/', $method, [$user, $password, ...$more]);

function show(string $step, mixed $value): void
{
    echo $step, ': ', json_encode($value, JSON_UNESCAPED_UNICODE | JSON_UNESCAPED_SLASHES), "\n";
}

show('auth', $call('auth'));
show('account', $call('account_status'));
show('credits before', $call('get_credits'));
show('cleaned', $call('clean_number', $to));

$sent = $call('send_message', [$to], $text);
show('sent', $sent);
$id = $sent[0][2];
for ($turn = 0; $turn < 200; $turn++) {
    $status = $call('get_status', [$id])[0][1];
    if ($status['last_status'] === 1) {
        break;
    }
    usleep(50_000);
}
show('status', $status);

// The service reads dates on Swiss clocks.
$tomorrow = new DateTimeImmutable('tomorrow 08:00', new DateTimeZone('Europe/Zurich'));
$planned = $call('send_message', $to, "$text (later)", '', $tomorrow->format('Y-m-d H:i:s'), 'text');
show('planned status', $call('get_status', $planned[0][2])[0][1]);
show('cancelled', $call('cancel_message', $planned[0][2]));
show('cancelled again', $call('cancel_message', [$planned[0][2]]));
show('status of cancelled', $call('get_status', [$planned[0][2]])[0][1]);
show('credits after', $call('get_credits'));

try {
    rpc_call($host, (int) $port, '/api2/', 'send_message', [$user, "not $password", $to, $text]);
    show('wrong password', 'accepted');
} catch (RpcFault $fault) {
    show('wrong password', 'fault');
}
show('auth with wrong password', rpc_call($host, (int) $port, '/api2/', 'auth', [$user, "not $password"]));
