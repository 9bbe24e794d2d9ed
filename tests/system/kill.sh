#!/bin/bash
# kill.sh [SEED]: a backup that is killed at any moment harms nothing.
. "$(dirname "$0")/lib.sh"

seed=${1:-$(($(date +%s) % 32768))}
echo "seed $seed"
RANDOM=$seed
rounds=30

src=$T/source
mkdir "$src"

# grow_source ROUND: a few files that can't be compressed, and many small ones.
grow_source() {
	mkdir "$src/$1"
	head -c 3000000 /dev/urandom >"$src/$1/big"
	for i in $(seq 60); do
		head -c 5000 /dev/urandom >"$src/$1/$i"
	done
}

new_store
passphrase=$VARVE_PASSPHRASE
use_key d
grow_source first
backup d "$src"
signalled=(env --default-signal=INT "$VARVE")

part 'how long an undisturbed backup takes'
grow_source measured
start=$(date +%s%N)
varve backup d "$src" >"$T/out"
span=$((($(date +%s%N) - start) / 1000000))
echo "$span ms"

made=$(snapshots d)
killed=0
for round in $(seq $rounds); do
	signal=KILL
	if [ $((round % 3)) = 0 ]; then
		signal=INT
	fi
	ms=$((RANDOM % (span * 4 / 3 + 1)))
	grow_source "$round"
	"${signalled[@]}" backup -q d "$src" >"$T/out" 2>"$T/err" &
	pid=$!
	sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
	kill -$signal $pid 2>/dev/null || true # it may have ended
	status=0
	wait $pid 2>/dev/null || status=$?
	echo "round $round: SIG$signal after $ms ms: exit status $status"
	case $signal:$status in
	*:0) made=$((made + 1)) ;;
	KILL:137) killed=$((killed + 1)) ;;
	INT:1) grep -q stopped "$T/err" || fail "$(cat "$T/err")" ;;
	INT:130) ;; # before it could catch the signal
	*) fail "exit status $status: $(cat "$T/err")" ;;
	esac
	# A kill after the snapshot was published and before the exit.
	now=$(snapshots d)
	[ "$now" = "$made" ] || [ "$now" = $((made + 1)) ] ||
	    fail "$now snapshots, not $made"
	made=$now
	run 0 varve check --read-data
done
[ $killed -ge 5 ] || fail "only $killed of $rounds were killed while they ran"

part 'the next backup is whole'
backup d "$src"
restore d@latest "$T/restored"
nothing diff -r "$src" "$T/restored"
whole

# Against a store that has seen no kill.
part 'nothing is stored twice'
size() {
	find "$1/datasets" -path '*/packs/*' -type f -printf '%s\n' |
	    awk '{ n += $1 } END { printf "%d", n }'
}
unset VARVE_KEY_FILE
export VARVE_PASSPHRASE=$passphrase
VARVE_STORE=$T/undisturbed varve init -q --recovery-key-file "$T/r2" >"$T/out"
run 0 varve backup -s "$T/undisturbed" d "$src"
one=$(size "$VARVE_STORE")
other=$(size "$T/undisturbed")
echo "$one bytes, undisturbed $other"
[ "$one" -lt $((other + other / 10)) ] || fail 'much is stored twice'
equal "$(find "$VARVE_STORE/tmp" -type f | wc -l)" 0 'leftovers'

# A pack has up to 32 MiB: what is of several is there when the next run comes.
# Were it not, a kill would cost all that was there.
part 'a long backup, killed again and again, goes on where it was'
mkdir "$T/long"
for i in 1 2 3 4 5 6; do
	head -c 33000000 /dev/urandom >"$T/long/$i"
done
before=$(size "$VARVE_STORE")
kept=0 kills=0
for i in $(seq 40); do
	"$VARVE" backup -q long "$T/long" &
	pid=$!
	wanted=$((before + 40000000 * i))
	while kill -0 $pid 2>/dev/null && [ "$(size "$VARVE_STORE")" -lt \
	    $wanted ]; do
		sleep 0.01
	done
	if ! kill -9 $pid 2>/dev/null; then
		break
	fi
	wait $pid 2>/dev/null || true
	kills=$((kills + 1))
	kept=$(($(size "$VARVE_STORE") - before))
	echo "killed when $kept bytes were there"
done
[ $kept -gt 30000000 ] || fail 'never killed when something was there'
run 0 varve backup long "$T/long"
took=$(($(size "$VARVE_STORE") - before))
echo "$took bytes for 198000000"
# A kill may come between a pack and the note of it: that one is made again.
[ $took -lt $((205000000 + kills * 33600000)) ] || fail 'much is stored twice'
run 0 varve check --read-data

part 'a mount that is killed is dead, never an empty directory'
mkdir "$T/mnt"
"$VARVE" mount -f -q "$T/mnt" &
pid=$!
within 10 test -d "$T/mnt/d/latest"
kill -9 $pid
wait $pid 2>/dev/null || true
run 2 ls "$T/mnt"
err_has 'Transport endpoint is not connected'
run 23 rsync -a --delete "$T/mnt/d/" "$T/restored/"
[ -d "$T/restored/first" ] || fail 'a mirror of the dead mount lost its files'
refused 2 'unmount it first' varve mount "$T/mnt"
fusermount3 -u "$T/mnt"
mount_store "$T/mnt"
nothing diff -r "$src" "$T/mnt/d/latest/"

part 'a mount that is interrupted unmounts'
unmount "$T/mnt"
mounted="until mountpoint -q '$T/mnt'; do :; done"
for signal in INT TERM HUP INT TERM HUP INT TERM HUP; do
	env --default-signal "$VARVE" mount -f -q "$T/mnt" &
	pid=$!
	# As soon as can be: it may still be shaking hands with the kernel.
	timeout 10 sh -c "$mounted" || fail 'not mounted in ten seconds'
	kill -$signal $pid
	wait $pid || fail "exit status $? after SIG$signal"
	if mountpoint -q "$T/mnt"; then
		fail "still mounted after SIG$signal"
	fi
done
