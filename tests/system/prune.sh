#!/bin/sh
# Space is given back, to the last expired chunk, beside backups and a mount;
# and a site keeps what was taken away until its own lock has passed.
. "$(dirname "$0")/lib.sh"

src=$T/source
mkdir -p "$src"
new_store

# noise FILE: 1 MiB that does not compress and is like no other.
noise() {
	head -c 1048576 /dev/urandom >"$1"
}

# stored: bytes of the store's packs.
stored() {
	find "$VARVE_STORE" -path '*/packs/*' -type f -printf '%s\n' |
	    awk '{ n += $1 } END { print n + 0 }'
}

part 'what expired is gone, what is kept is whole, and a mount reads on'
noise "$src/always"
for i in 1 2 3 4 5 6; do
	noise "$src/changing"
	backup d "$src"
done
cp -a "$src" "$T/expected"
before=$(stored)
M=$T/mnt
mount_store "$M"
sum=$(sha256sum <"$M/d/latest/always")
run 0 varve expire d --keep-last 1
run 0 varve prune d --dry-run
equal "$(stored)" "$before" 'a dry run takes nothing'
run 0 varve prune d --max-dead 0
[ "$(stored)" -lt $((before - 4 * 1048576)) ] ||
    fail "only $((before - $(stored))) bytes were given back"
echo 3 >/proc/sys/vm/drop_caches
equal "$(sha256sum <"$M/d/latest/always")" "$sum" 'read through the mount'
diff -r "$M/d/latest/" "$T/expected"
unmount "$M"
whole
run 0 varve prune d --max-dead 0
equal "$(varve list --json d | jq '.snapshots | length')" 1 'snapshots left'

# overtaken OPTION...: a check that stops half-way while a prune takes away what
# it was about to read, and then goes on, finds nothing.
overtaken() {
	for i in 1 2 3; do
		head -c 60000000 /dev/urandom >"$T/big/file"
		backup overtaken "$T/big"
	done
	"$VARVE" check "$@" --threads 1 >"$T/check.out" 2>&1 &
	check=$!
	while [ "$(sed -n 's/^rchar: //p' /proc/$check/io ||
	    echo 99999999)" -lt 20000000 ]; do
		:
	done 2>/dev/null
	kill -STOP $check
	before=$(stored)
	varve expire -q overtaken --keep-last 1
	varve prune -q overtaken
	[ "$(stored)" -lt $((before - 100000000)) ] || fail 'nothing went'
	kill -CONT $check
	status=0
	wait $check || status=$?
	equal "$status $(grep -c damaged "$T/check.out")" '0 0' \
	    'status of the check, and damages'
}

part 'checks that a prune overtakes'
mkdir "$T/big"
overtaken --read-data
overtaken --no-keys

part 'beside backups that never stop'
(
	for i in 1 2 3 4 5 6 7 8 9 10; do
		noise "$src/changing"
		backup d "$src"
	done
) &
backups=$!
while kill -0 $backups 2>/dev/null; do
	varve expire -q d --keep-last 2
	varve prune -q d --max-dead 0
done
wait $backups
whole
run 0 varve restore d@latest "$T/restored"
diff -r "$T/restored" "$src"

part 'a prune that is killed leaves a whole store'
for i in 1 2 3 4 5 6 7 8; do
	noise "$src/changing"
	backup d "$src"
	varve expire -q d --keep-last 1
	timeout -s KILL "0.0$((i + 1))" "$VARVE" prune -q d --max-dead 0 ||
	    true
	whole
done
run 0 varve prune d --max-dead 0
whole

part 'a site removes nothing before its lock has passed, and then does'
site=$T/dr
packs() {
	find "$site" -path '*/packs/*' -type f | sort
}
varve serve "$site" --init --for "$VARVE_STORE/varve" --site dr --country GB \
    --accreditation test --until 2099-01-01 --lock 15s >"$T/request" \
    2>"$T/said"
varve site add dr "$site" "$T/request" >"$T/said"
run 0 varve replicate dr
noise "$src/changing"
backup d "$src"
run 0 varve replicate dr
packs >"$T/packs.before"
varve expire -q d --keep-last 1
varve prune -q d --max-dead 0
run 0 varve replicate dr
packs >"$T/packs.locked"
equal "$(comm -23 "$T/packs.before" "$T/packs.locked")" '' \
    'packs that went within the lock'
run 0 varve -s "$site" check --no-keys
sleep 16
run 0 varve replicate dr
packs >"$T/packs.after"
[ -n "$(comm -23 "$T/packs.before" "$T/packs.after")" ] ||
    fail 'nothing went when the lock had passed'
run 0 varve -s "$site" check --no-keys
run 0 varve -s "$site" check --read-data

part 'a pack that is lost is named, nothing goes, and a site has it'
noise "$src/changing"
backup d "$src"
run 0 varve replicate dr
varve expire -q d --keep-last 1
lost=$(find "$VARVE_STORE" -path '*/packs/*' -type f -size +1000k \
    -printf '%T@ %p\n' | sort -rn | head -n 1)
lost=${lost#* }
mv "$lost" "$T/lost"
before=$(find "$VARVE_STORE" -type f | sort)
run 3 varve prune d --max-dead 0
err_has "'${lost#"$VARVE_STORE/"}' has "
err_has 'it is missing'
err_has "dataset 'd': nothing is removed"
err_has 'varve repair --from'
[ ! -s "$T/out" ] || fail "it told of more: $(cat "$T/out")"
equal "$(find "$VARVE_STORE" -type f | sort)" "$before" 'what is there'
run 3 varve prune -q d
err_has "${lost#"$VARVE_STORE/"}"
run 3 varve prune --json d
equal "$(jq '.datasets[0] | .lost_packs, .lost_chunks > 0' "$T/out" |
    tr '\n' ' ')" '1 true ' 'what is lost, in JSON'
run 0 varve repair --from dr
run 0 varve prune d --max-dead 0
whole
