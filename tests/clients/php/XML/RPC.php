<?php
// A stand-in for PEAR's package XML_RPC, which Debian does not ship: our own code, not PEAR's. It has the three
// classes that a program of four lines needs, with the arguments PEAR's have, and speaks HTTP/1.0 as PEAR's does.

require_once __DIR__ . '/../socket_rpc.php';

class XML_RPC_Value
{
    public function __construct(public readonly mixed $value, public readonly string $type = 'string')
    {
    }

    public function xml(): string
    {
        $inner = match ($this->type) {
            'array' => '<data>' . implode('', array_map(fn (self $item) => $item->xml(), $this->value)) . '</data>',
            'base64' => base64_encode($this->value),
            default => htmlspecialchars((string) $this->value, ENT_XML1),
        };
        return "<value><{$this->type}>$inner</{$this->type}></value>";
    }
}

class XML_RPC_Message
{
    /** @param XML_RPC_Value[] $parameters */
    public function __construct(private readonly string $method, private readonly array $parameters = [])
    {
    }

    public function serialize(): string
    {
        $parameters = array_map(fn (XML_RPC_Value $value) => "<param>\n{$value->xml()}</param>\n", $this->parameters);
        return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<methodCall>\n<methodName>{$this->method}</methodName>\n"
            . "<params>\n" . implode('', $parameters) . "</params>\n</methodCall>";
    }
}

class XML_RPC_Client
{
    public bool $debug = false;

    public function __construct(
        private readonly string $path,
        private readonly string $server,
        private readonly int $port = 80,
    ) {
    }

    /** The answer's value in PHP's own types (PEAR wraps it once more). */
    public function send(XML_RPC_Message $message): mixed
    {
        return rpc_post($this->server, $this->port, $this->path, $message->serialize());
    }
}
