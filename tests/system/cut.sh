#!/bin/sh
# Replication that is cut anywhere, killed on either side, slow or far away: it
# goes on from where it was, and a site never shows what it doesn't have.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/sitelib.sh"

# at_site DIR COMMAND...: as on the site's machine, which has seen what is there
# and no more.
at_site() {
	local dir=$1
	shift
	XDG_STATE_HOME=$dir.state "$@"
}

# whole_site DIR: what it shows is whole, and can be read.
whole_site() {
	at_site "$1" run 0 varve check --no-keys -s "$1"
	if at_site "$1" varve list -s "$1" --json d >"$T/list" 2>/dev/null &&
	    [ "$(jq '.snapshots | length' "$T/list")" -gt 0 ]; then
		at_site "$1" run 0 varve check --read-data -s "$1"
	fi
}

# lag TO-PORT DELAY-MS RATE CUT: a line there; its port is $line, its pid $lag.
lag() {
	rm -f "$T/line"
	"$BIN/lag" "$T/line" "$@" &
	lag=$!
	within 5 test -s "$T/line"
	line=$(cat "$T/line")
}

end_lag() {
	kill "$lag"
	wait "$lag" 2>/dev/null || :
}

# packs DIR: how many it holds.
packs() {
	find "$1" -path '*/packs/*' -type f | wc -l
}

src=$T/source
mkdir -p "$src"
new_store
passphrase=$VARVE_PASSPHRASE
use_key d
for i in 1 2 3 4 5 6 7 8 9 10; do
	head -c 800000 /dev/urandom >"$src/data$i"
	backup d "$src" --full
done
total=$(du -sb "$VARVE_STORE/datasets" | cut -f 1)

# Every cut lets an object through, and the half of another.
part 'cut every 1,300,000 bytes'
port=$(free_port)
new_site "$T/dr" dr-cut GB
serve_at "$T/dr" "$port"
lag "$port" 0 0 1300000
add_site dr-cut "tls://127.0.0.1:$line"
tries=0
before=0
until varve replicate -q dr-cut 2>"$T/err"; do
	err_has 'connection'
	tries=$((tries + 1))
	[ "$tries" -lt 60 ] || fail "no end: $(cat "$T/err")"
	# What came whole stays, and more comes each time.
	now=$(packs "$T/dr")
	[ "$now" -ge "$before" ] || fail 'packs went'
	before=$now
done
[ "$tries" -ge 6 ] || fail "it was cut only $tries times"
# Nothing but the object in flight is sent twice.
[ "$tries" -le 11 ] || fail "$tries tries for $total bytes"
end_lag
same_objects "$VARVE_STORE" "$T/dr"
whole_site "$T/dr"
stop_server

part 'watch connects again by itself'
new_site "$T/watch" dr-watch GB
port=$(free_port)
serve_at "$T/watch" "$port"
lag "$port" 0 0 2500000
add_site dr-watch "tls://127.0.0.1:$line"
"$VARVE" replicate --watch dr-watch >"$T/watch.out" 2>"$T/watch.err" &
watcher=$!
has_snapshots() {
	[ "$(varve list -s "$1" --json d | jq '.snapshots | length')" = "$2" ]
}
within 60 has_snapshots "$T/watch" 10
grep -q 'trying again' "$T/watch.err" || fail 'it was never cut'
echo new >"$src/new"
backup d "$src"
within 30 has_snapshots "$T/watch" 11
kill -TERM "$watcher"
wait "$watcher" || fail "watch ended with $?: $(cat "$T/watch.err")"
end_lag
stop_server
same_objects "$VARVE_STORE" "$T/watch"

part 'either side killed, again and again'
new_site "$T/kill" dr-kill GB
port=$(free_port)
serve_at "$T/kill" "$port"
# Slow enough that it is killed in the middle.
lag "$port" 1 3000000 0
add_site dr-kill "tls://127.0.0.1:$line"
for i in 1 2 3 4 5 6; do
	"$VARVE" replicate -q dr-kill 2>"$T/err" &
	client=$!
	sleep "0.$((i * 13 % 7 + 1))"
	if [ $((i % 2)) = 0 ]; then
		kill -KILL "$client" || :
		wait "$client" 2>/dev/null || :
	else
		kill -KILL "$server"
		wait "$server" 2>/dev/null || :
		wait "$client" || :
		serve_at "$T/kill" "$port"
	fi
	whole_site "$T/kill"
done
replicate dr-kill
end_lag
stop_server
same_objects "$VARVE_STORE" "$T/kill"
whole_site "$T/kill"

part 'a server that is told to end keeps what came whole'
new_site "$T/term" dr-term GB
port=$(free_port)
serve_at "$T/term" "$port"
lag "$port" 1 3000000 0
add_site dr-term "tls://127.0.0.1:$line"
"$VARVE" replicate -q dr-term 2>"$T/err" &
client=$!
some_packs() {
	[ -n "$(find "$1/tmp" -type f -size +1000k)" ] || [ "$(packs "$1")" -gt 0 ]
}
within 10 some_packs "$T/term"
sleep 0.7
stop_server
got=0
wait "$client" || got=$?
equal "$got" 1 'status of the client'
err_has 'shutting down'
[ "$(packs "$T/term")" -gt 0 ] || fail 'nothing was kept'
whole_site "$T/term"
end_lag

part 'two replications at once'
new_site "$T/two" dr-two GB
port=$(free_port)
serve_at "$T/two" "$port"
add_site dr-two "tls://127.0.0.1:$port"
"$VARVE" replicate -q dr-two 2>"$T/err.1" &
one=$!
"$VARVE" replicate -q dr-two 2>"$T/err.2" &
two=$!
wait "$one" || fail "one: $(cat "$T/err.1")"
wait "$two" || fail "two: $(cat "$T/err.2")"
same_objects "$VARVE_STORE" "$T/two"
whole_site "$T/two"

part 'far away: 50 ms there and back'
new_site "$T/far" dr-far GB
stop_server
serve_at "$T/far" "$port"
lag "$port" 25 0 0
add_site dr-far "tls://127.0.0.1:$line"
replicate dr-far
echo newer >"$src/newer"
backup d "$src"
start=$(date +%s%N)
replicate dr-far
taken=$((($(date +%s%N) - start) / 1000000))
# Five round trips, and something for the work on a busy machine.
echo "one new snapshot, with receipt: $taken ms"
[ "$taken" -lt 1000 ] || fail "one new snapshot took $taken ms"
end_lag
stop_server
