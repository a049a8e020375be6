#!/usr/bin/perl
# Prints unicode_tables.cpp from what this Perl knows of Unicode:
#   src/core/text/make_unicode_tables.pl > src/core/text/unicode_tables.cpp
use strict;
use warnings;
use feature 'unicode_strings';
use Unicode::Normalize qw(NFD);
use Unicode::UCD;

my @points = grep { $_ < 0xD800 || $_ > 0xDFFF } 0 .. 0x10FFFF;

# Items of a table, as many as fit on a line.
sub table {
    my ($type, $name, @items) = @_;
    my $text = "namespace {\nconstexpr $type ${name}Table[] = {\n";
    my $line = '   ';
    for (@items) {
        if (length($line) + length($_) + 2 > 99) { $text .= "$line\n"; $line = '   ' }
        $line .= " $_,";
    }
    print "$text$line\n};\n}  // namespace\nconstinit const std::span<const $type> $name = ${name}Table;\n\n";
}

sub ranges {
    my ($name, $belongs) = @_;
    my @ranges;
    for my $point (@points) {
        next unless $belongs->(chr $point);
        if (@ranges && $ranges[-1][1] == $point - 1) { $ranges[-1][1] = $point }
        else { push @ranges, [ $point, $point ] }
    }
    table('CodeRange', $name, map { sprintf '{0x%X, 0x%X}', @$_ } @ranges);
}

# Points that become others by adding a number, in steps of 1 or 2.
sub lower_case {
    my @runs;
    for my $point (@points) {
        my $lower = lc chr $point;
        next if length $lower != 1 || ord $lower == $point;
        my $delta = ord($lower) - $point;
        my $run = $runs[-1];
        my $step = $run ? $point - $run->{last} : 0;
        if ($run && $run->{delta} == $delta && $step <= 2 && ($run->{step} // $step) == $step) {
            @$run{qw(last step)} = ($point, $step);
        } else { push @runs, { first => $point, last => $point, delta => $delta } }
    }
    table('LowerCase', 'kLowerCase',
        map { sprintf '{0x%X, 0x%X, %d, %d}', @$_{qw(first last)}, $_->{step} // 1, $_->{delta} } @runs);
}

# What is left of a point without its marks; syllables of Hangul follow by arithmetic.
sub bases {
    my @items;
    for my $point (@points) {
        next if $point >= 0xAC00 && $point <= 0xD7A3;
        my $whole = NFD(chr $point);
        next if $whole eq chr $point;
        (my $bare = $whole) =~ s/\p{Mn}//g;
        next if $bare eq chr $point || $bare eq '';
        next if length $bare > 2;  # a few notes of music, and their stems
        push @items, sprintf '{0x%X, 0x%X, 0x%X}', $point, ord $bare,
            length $bare > 1 ? ord substr($bare, 1) : 0;
    }
    table('BarePoint', 'kBarePoints', @items);
}

print <<"END";
// Written by make_unicode_tables.pl, from Unicode ${\ Unicode::UCD::UnicodeVersion()}.
// clang-format off
#include "core/text/unicode_tables.h"

namespace lookalike {

END
ranges('kLetters', sub { $_[0] =~ /\p{L}/ });
ranges('kNumbers', sub { $_[0] =~ /\p{N}/ });
ranges('kSpaces', sub { $_[0] =~ /\p{White_Space}/ });
ranges('kMarks', sub { $_[0] =~ /\p{Mn}/ });
ranges('kPunctuation', sub { $_[0] =~ /\p{P}/ });
ranges('kControls', sub { $_[0] =~ /[\p{Cc}\p{Cf}]/ });
lower_case();
bases();
print "}  // namespace lookalike\n";
