# Sourced by test and .ci/run: runs stages, counts what their tests print, keeps the totals.
# Totals of an earlier script come in, and are added to, through TESTS_PASSED, TESTS_FAILED and
# TESTS_SKIPPED.
# shellcheck shell=bash

passed=${TESTS_PASSED:-0}
failed=${TESTS_FAILED:-0}
skipped=${TESTS_SKIPPED:-} # a line for each: "NAME: REASON"
logs=$clone/build/logs
# Put before what may hang; a killed program is a failed one.
# shellcheck disable=SC2034
time_limit="timeout --kill-after=10 ${STAGE_SECONDS:-1200}"
mkdir -p "$logs"

# Each reads a log and prints "PASSED FAILED", then a line "NAME: REASON" for each skipped test.
count_gtest() {
    awk '/^\[       OK \]/ {p++} /^\[  FAILED  \] .* ms\)$/ {f++}
        /: Skipped$/ {getline why} /^\[  SKIPPED \] .* ms\)$/ {skips = skips "\n" $4 ": " why}
        END {print p + 0, f + 0 skips}'
}
count_regress() { # up to 15: "test a ... ok 7 ms"; later: "ok 1 - a 7 ms"
    awk '/\.\.\. ok |^ok / {p++} /\.\.\. FAILED|^not ok / {f++} END {print p + 0, f + 0}'
}
count_tap() { # prove begins a script with "[12:34:56] t/001_a.pl .. ", ends it with "ok     42 ms"
    awk '/^\[[0-9:]+\] .* \.\./ {name = $2}
        / \.\.+ skipped: / {sub(/.* \.\.+ skipped: /, ""); skips = skips "\n" name ": " $0}
        /^ok .*# skip/ {sub(/.*# skip */, ""); skips = skips "\n" name ": " $0; next}
        /^ok [-0-9]/ {p++} /^not ok / && !/# TODO/ {f++} END {print p + 0, f + 0 skips}'
}
# stage NAME COUNTER COMMAND...: a stage that fails without a failed test counts as one failure, and
# so does one in which no test ran.
stage() {
    local counter=$2 log=$logs/$1.log begin=$SECONDS status=0 good bad skips
    printf '== %-10s ' "$1"
    shift 2
    ("$@") >"$log" 2>&1 </dev/null || status=$?
    { read -r good bad && skips=$(cat); } < <("$counter" <"$log")
    if [ "$bad" -eq 0 ] && [ $((status != 0 || good == 0)) -eq 1 ]; then
        bad=1
        echo "exit status $status, $good tests passed, none failed" >>"$log"
    fi
    echo "$good passed, $bad failed, $((SECONDS - begin)) s"
    passed=$((passed + good)) failed=$((failed + bad))
    skipped+=${skips:+$skips$'\n'}
    [ "$bad" -eq 0 ] || show_failure "$log"
}

# step NAME COMMAND...: work that holds no tests; counts only when it fails, and then returns 1.
step() {
    local log=$logs/$1.log begin=$SECONDS status=0
    printf '== %-10s ' "$1"
    shift
    ("$@") >"$log" 2>&1 </dev/null || status=$?
    [ $status -eq 0 ] && echo "done, $((SECONDS - begin)) s" && return
    echo "failed with status $status, $((SECONDS - begin)) s"
    failed=$((failed + 1))
    show_failure "$log"
    return 1
}

# Runs programs at the same time, then shows what each has printed; 1 when one of them failed.
together() {
    local program status=0 running=()
    for program; do
        $time_limit "$program" >"$logs/${program##*/}.log" 2>&1 &
        running+=($!)
    done
    for program; do
        wait "${running[0]}" || status=1
        running=("${running[@]:1}")
        cat "$logs/${program##*/}.log"
    done
    return $status
}

show_failure() {
    grep -nE -A 8 '^not ok|^\[  FAILED  \] .* ms\)$|: Failure$|error:|AddressSanitizer|^[-+]' "$1" |
        head -n 120 || tail -n 40 "$1"
    echo "-- all of it: $1"
}

# The last line is that of the totals. Before it: how many tests were skipped, and each reason once.
closing_line() {
    if [ -n "$skipped" ]; then
        echo "skipped: $(wc -l <<<"${skipped%$'\n'}") ($(sort -u <<<"${skipped%$'\n'}" |
            sed ':a; N; $!ba; s/\n/; /g'))"
    fi
    echo "$passed passed, $failed failed"
    [ "$failed" -eq 0 ]
}
