<?php
// XML-RPC over a bare socket, as libraries of the first decade spoke it: HTTP/1.0, and the answer ends where the
// connection ends. Nothing here reads Content-Length or chunks, so a server that keeps the connection open hangs us.

final class RpcFault extends RuntimeException
{
}

final class Base64Text
{
    public function __construct(public readonly string $bytes)
    {
    }
}

function rpc_call(string $host, int $port, string $path, string $method, array $arguments): mixed
{
    $parameters = '';
    foreach ($arguments as $argument) {
        $parameters .= '<param>' . rpc_write($argument) . '</param>';
    }
    return rpc_post($host, $port, $path, "<?xml version=\"1.0\"?>\n<methodCall><methodName>$method</methodName>"
        . "<params>$parameters</params></methodCall>");
}

function rpc_post(string $host, int $port, string $path, string $body): mixed
{
    $socket = fsockopen($host, $port, $error, $why, 10);
    if ($socket === false) {
        throw new RuntimeException("cannot connect: $why");
    }
    stream_set_timeout($socket, 20);
    fwrite($socket, "POST $path HTTP/1.0\r\nHost: $host\r\nContent-Type: text/xml\r\n"
        . "User-Agent: A socket and some patience\r\nContent-Length: " . strlen($body) . "\r\n\r\n$body");
    $answer = '';
    while (!feof($socket)) {
        $piece = fread($socket, 4096);
        if (stream_get_meta_data($socket)['timed_out']) {
            throw new RuntimeException('the server did not close the connection');
        }
        $answer .= $piece;
    }
    fclose($socket);
    [$head, $xml] = explode("\r\n\r\n", $answer, 2);
    if (!str_contains(strtok($head, "\r\n"), '200')) {
        throw new RuntimeException('transport error, HTTP status was not 200');
    }
    // Those libraries look for the declaration at the very beginning, and give up on an encoding they do not know.
    if (!preg_match('/^<\?xml[^>]*\?>/', substr($xml, 0, 100))) {
        throw new RuntimeException('no XML declaration in the first 100 bytes');
    }
    $document = simplexml_load_string($xml);
    if (isset($document->fault)) {
        $fault = rpc_read($document->fault->value);
        throw new RpcFault($fault['faultString'], $fault['faultCode']);
    }
    return rpc_read($document->params->param->value);
}

function rpc_write(mixed $value): string
{
    $inner = match (true) {
        is_int($value) => "<int>$value</int>",
        is_bool($value) => '<boolean>' . (int) $value . '</boolean>',
        $value instanceof Base64Text => '<base64>' . base64_encode($value->bytes) . '</base64>',
        is_array($value) => '<array><data>' . implode('', array_map('rpc_write', $value)) . '</data></array>',
        default => '<string>' . htmlspecialchars($value, ENT_XML1) . '</string>',
    };
    return "<value>$inner</value>";
}

/** Only the types that those libraries knew: an `i8` or a `nil` is an error, as it was for them. */
function rpc_read(SimpleXMLElement $value): mixed
{
    if ($value->count() === 0) {
        return (string) $value;
    }
    $typed = $value->children()[0];
    switch ($typed->getName()) {
        case 'int':
        case 'i4':
            return (int) $typed;
        case 'boolean':
            return (string) $typed === '1';
        case 'double':
            return (float) $typed;
        case 'string':
        case 'dateTime.iso8601':
            return (string) $typed;
        case 'base64':
            return base64_decode((string) $typed);
        case 'array':
            $items = [];
            foreach ($typed->data->value as $item) {
                $items[] = rpc_read($item);
            }
            return $items;
        case 'struct':
            $members = [];
            foreach ($typed->member as $member) {
                $members[(string) $member->name] = rpc_read($member->value);
            }
            return $members;
        default:
            throw new RuntimeException("unknown type {$typed->getName()}");
    }
}
