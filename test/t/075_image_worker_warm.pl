# All of 070_image_worker.pl, with workers that a warm parent forks.
use strict;
use warnings;

use FindBin;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

our $warm = 1;
my $tests = "$FindBin::RealBin/070_image_worker.pl";
do $tests or die $@ || $!;
