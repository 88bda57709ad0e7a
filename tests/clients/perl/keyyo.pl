# Keyyo's sendsms.html with LWP and HTTP Digest.
#
#   perl keyyo.pl BASE LINE PASSWORD TO TEXT      prints the answer
use strict;
use warnings;
use LWP::UserAgent;
use URI;

my ($base, $line, $password, $to, $text) = @ARGV;
my $address = URI->new("$base/sendsms.html");
$address->query_form(ACCOUNT => $line, CALLEE => $to, MSG => $text);
my $agent = LWP::UserAgent->new;
$agent->credentials($address->host_port, 'keyyo', $line, $password);
print $agent->get($address)->content;
