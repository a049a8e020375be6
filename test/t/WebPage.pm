# A browser without a window: Chromium, told by WebDriver what a person does.
package WebPage;
use strict;
use warnings;

use HTTP::Tiny;
use IPC::Run;
use JSON::PP;
use Time::HiRes qw(time usleep);

use constant ELEMENT => 'element-6066-11e4-a52e-4f735466cecf';

# No browser outlives a test that dies.
my @open;
END { local $?; $_->close_page for @open }

sub is_there { return !system 'command -v chromedriver chromium >/dev/null' }

# Width and height are those of the page. It talks to loopback only.
sub new {
    my ($class, %options) = @_;
    my $self = bless { http => HTTP::Tiny->new(timeout => 60), log => '' }, $class;
    $self->{driver} = IPC::Run::start([ 'chromedriver', '--port=0' ], '<', \undef, '>&', \$self->{log});
    my $end = time + 30;
    push @open, $self;
    my $port;
    until (($port) = $self->{log} =~ /on port (\d+)\./) {
        die "chromedriver does not start: $self->{log}" if time > $end;
        $self->{driver}->pump_nb;
        usleep(20_000);
    }
    $self->{base} = "http://127.0.0.1:$port";
    my @arguments = ('--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-proxy-server',
        "--user-data-dir=$options{folder}", "--window-size=$options{width},$options{height}");
    my $chrome = { args => \@arguments };
    $chrome->{mobileEmulation} = { deviceMetrics => { width => $options{width}, height => $options{height}, pixelRatio => 2, touch => JSON::PP::true } }
      if $options{is_phone};
    my $session = $self->ask('POST', '/session', { capabilities => { alwaysMatch => {
        'goog:chromeOptions' => $chrome, 'goog:loggingPrefs' => { browser => 'ALL' } } } });
    $self->{base} .= "/session/$session->{sessionId}";
    return $self;
}

sub ask {
    my ($self, $method, $path, $content) = @_;
    my $answer = $self->{http}->request($method, $self->{base} . $path,
        $method eq 'POST' ? { content => encode_json($content // {}), headers => { 'Content-Type' => 'application/json' } } : {});
    my $json = eval { decode_json($answer->{content}) } // {};
    die "$method $path: $answer->{status} " . substr($answer->{content}, 0, 300) . "\n" unless $answer->{success};
    return $json->{value};
}

sub open_page { my ($self, $address) = @_; return $self->ask('POST', '/url', { url => $address }) }
sub back { my ($self) = @_; return $self->ask('POST', '/back') }
sub value { my ($self, $script) = @_; return $self->ask('POST', '/execute/sync', { script => "return $script", args => [] }) }
sub find { my ($self, $selector) = @_;
    return $self->ask('POST', '/element', { using => 'css selector', value => $selector })->{ +ELEMENT } }
sub click { my ($self, $selector) = @_; return $self->ask('POST', '/element/' . $self->find($selector) . '/click') }
# Into an element; of a file input, the path of the file.
sub type { my ($self, $selector, $text) = @_;
    return $self->ask('POST', '/element/' . $self->find($selector) . '/value', { text => $text }) }
# Keys for whatever has the focus.
sub press { my ($self, @keys) = @_;
    my @actions = map { my $key = $_; map { { type => $_, value => $key } } 'keyDown', 'keyUp' } @keys;
    return $self->ask('POST', '/actions', { actions => [ { type => 'key', id => 'keys', actions => \@actions } ] }) }
# Places are from the middle of the element.
sub drag {
    my ($self, $selector, $from, $to) = @_;
    my $place = sub { return { type => 'pointerMove', duration => 50, x => $_[0][0], y => $_[0][1], origin => { ELEMENT() => $self->find($selector) } } };
    return $self->ask('POST', '/actions', { actions => [ { type => 'pointer', id => 'mouse', parameters => { pointerType => 'mouse' },
        actions => [ $place->($from), { type => 'pointerDown', button => 0 }, $place->($to), { type => 'pointerUp', button => 0 } ] } ] });
}
# What the browser complains about.
sub complaints { my ($self) = @_;
    return join "\n", map { $_->{message} } @{ $self->ask('POST', '/se/log', { type => 'browser' }) } }
# True as soon as the script gives something true.
sub comes { my ($self, $script, $seconds) = @_;
    my $end = time + ($seconds // 20);
    do { return 1 if $self->value($script); usleep(30_000) } while time < $end;
    return 0 }

sub close_page {
    my ($self) = @_;
    eval { $self->ask('DELETE', '') };
    $self->{driver}->kill_kill(grace => 2);
    @open = grep { $_ != $self } @open;
    return;
}

1;
