# The shortest sender there is: RPC::XML guesses the types, so a number becomes an <int>, or an <i8> when it is long.
#
#   perl netoxygen_short.pl BASE USER PASSWORD TO TEXT      prints the fate of the one message: mobile, status, id
use strict;
use warnings;
use RPC::XML::Client;

my ($base, @arguments) = @ARGV;
my $answer = RPC::XML::Client->new("$base/api2/")->simple_request('send_message', @arguments);
die "no answer: $RPC::XML::ERROR\n" unless defined $answer;
die "fault $answer->{faultCode}\n" if ref $answer eq 'HASH';
print join(' ', @{ $answer->[0] }), "\n";
