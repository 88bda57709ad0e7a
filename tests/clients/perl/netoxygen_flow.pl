# What a careful program does: bytes as base64, every answer looked at, a fault told apart from a lost connection.
#
#   perl netoxygen_flow.pl BASE USER PASSWORD TO TEXT      prints `step: value` lines
#
# The arguments are UTF-8.
use strict;
use warnings;
use Encode qw(decode_utf8 encode_utf8);
use POSIX qw(strftime);
use RPC::XML;
use RPC::XML::Client;

binmode STDOUT, ':encoding(UTF-8)';
my ($base, $user, $password, $to, $text) = map { decode_utf8($_) } @ARGV;
my $gateway = RPC::XML::Client->new("$base/api2/");

sub as_bytes { return RPC::XML::base64->new(encode_utf8(shift)) }
sub as_string { return RPC::XML::string->new(shift) }

sub ask {
    my ($method, @more) = @_;
    my $answer = $gateway->send_request($method, as_string($user), as_string($password), @more);
    die "$method: no answer ($answer)\n" unless ref $answer;
    die "$method: fault ", $answer->code, "\n" if $answer->is_fault;
    return $answer->value;
}

sub show { my ($step, @values) = @_; print "$step: @values\n" }

sub status { return ask('get_status', as_string(shift))->[0][1] }

show(auth => ask('auth'));
my $credits = ask('get_credits');
show(cleaned => ask('clean_number', as_string($to)));

my ($mobile, $accepted, $id) = @{ ask('send_message', as_bytes($to), as_bytes($text))->[0] };
die "not sent, code $id\n" unless $accepted;
show(mobile => $mobile);
show(id => $id);

my $state;
for (1 .. 200) {
    $state = status($id);
    last if $state->{last_status} == 1;
    select(undef, undef, undef, 0.05);
}
show(delivered => @{$state}{qw(sent_status last_status length)});
show(spent => $credits - ask('get_credits'));

my $later = strftime('%Y-%m-%d %H:%M:%S', gmtime(time + 7 * 86_400));
my @planned = @{ ask('send_message', as_bytes($to), as_bytes("later: $text"), as_string(''), as_string($later))->[0] };
show(planned => @{ status($planned[2]) }{qw(sent_status last_status)});
show(cancelled => ask('cancel_message', as_string($planned[2]))->[0][1]);
show('after cancel' => status($planned[2])->{sent_status});
show('spent in the end' => $credits - ask('get_credits'));

my $refusal = $gateway->send_request('send_message', as_string($user), as_string('nonsense'), as_bytes($to), as_bytes($text));
show('wrong password' => ref $refusal && $refusal->is_fault ? 'fault' : 'accepted');
