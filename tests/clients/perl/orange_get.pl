# Sends one text through Orange's XML over HTTP with LWP; the answer is read with nothing but patterns.
#
#   perl orange_get.pl BASE KEY TO TEXT      prints code, message and call id, one a line
use strict;
use warnings;
use LWP::UserAgent;
use URI;

my ($base, $key, $to, $text) = @ARGV;
my $address = URI->new("$base/sms/sendSMS.xml");
$address->query_form(id => $key, to => $to, content => $text);
my $answer = LWP::UserAgent->new(timeout => 20)->get($address);
die 'HTTP ', $answer->status_line, "\n" unless $answer->is_success;
for my $element (qw(status_code status_msg call_id)) {
    my ($found) = $answer->decoded_content =~ m{<$element>([^<]*)</$element>};
    print $found // '', "\n";
}
