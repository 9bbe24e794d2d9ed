#!/bin/sh
# A dataset whose log is gone, or can't be listed, is told of, and keeps nobody
# from the others.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/sitelib.sh"

src=$T/source
mkdir -p "$src"
echo one >"$src/file"
two_datasets_and_a_site
pick_log "$VARVE_STORE"
echo two >"$src/file"
backup d "$src"
backup other "$src"

# goes_on WHY: of the other dataset, what is new comes to the site.
goes_on() {
	rm -rf "$T/dr.copy"
	cp -a "$T/dr" "$T/dr.copy"
	run 4 varve replicate dr-london
	err_has "$1"
	err_has "dataset '"
	run 4 varve replicate dr-london
	err_has "$1"
	equal "$(find "$T/dr" -path "*/datasets/$dataset/log/*" | wc -l)" 1 \
	    'records of the dataset that is damaged'
	equal "$(find "$T/dr" -path '*/log/*' | wc -l)" 3 'records at the site'
	rm -rf "$T/dr"
	mv "$T/dr.copy" "$T/dr"
}

part 'a log that can not be listed'
mv "$log" "$T/log"
mkfifo "$log"
goes_on "datasets/$dataset/log"
run 3 varve status
err_has "datasets/$dataset/log"
out_has 'RECORDS'
equal "$(grep -c '^dr-london ' "$T/out")" 1 'datasets that status shows'
run 3 varve status --json
equal "$(jq -c '[(.datasets | length), (.sites | length)]' "$T/out")" \
    '[1,1]' 'datasets that status shows'
rm "$log"

# is_told: that the dataset is gone, also without a key.
is_told() {
	run 3 varve status
	err_has 'is gone'
	run 3 varve status --json
	run 3 env -u VARVE_KEY_FILE "$VARVE" status
	err_has 'is gone'
	run 3 env -u VARVE_KEY_FILE "$VARVE" check --no-keys
	out_has "datasets/$dataset/log/"
	out_has 'this machine has seen it'
}

part 'a log that is gone'
mkdir "$log"
goes_on 'there are none here'
is_told

part 'a dataset that is gone'
rmdir "$log"
mv "${log%/log}" "$T/gone"
goes_on 'there are none here'
is_told
mv "$T/gone" "${log%/log}"

part 'and it is back'
mv "$T/log" "$log"
replicate dr-london
same_objects "$VARVE_STORE" "$T/dr"
run 0 varve status
run 0 env -u VARVE_KEY_FILE "$VARVE" check --no-keys

part 'at a site, what has yet to come is not gone'
as_admin grant writer new --host another --key-file "$T/key.new"
replicate dr-london
run 0 varve status --store "$T/dr"
run 0 env -u VARVE_KEY_FILE "$VARVE" check --no-keys --store "$T/dr"
as_admin check --store "$T/dr"

part 'and what has come, and is there no more, is'
mv "$T/dr/datasets/$dataset" "$T/gone"
run 3 varve status --store "$T/dr"
err_has "is gone: record 2 of it has arrived at this site"
run 3 env -u VARVE_KEY_FILE "$VARVE" status --store "$T/dr"
err_has "is gone: record 2 of it has arrived at this site"
run 3 env -u VARVE_KEY_FILE "$VARVE" check --no-keys --store "$T/dr"
out_has "damaged: datasets/$dataset: record 2 of its log has arrived"
VARVE_PASSPHRASE=$passphrase run 3 env -u VARVE_KEY_FILE "$VARVE" check \
    --store "$T/dr"
out_has "damaged: datasets/$dataset: record 2 of its log has arrived"
replicate dr-london
run 0 varve status --store "$T/dr"
run 0 env -u VARVE_KEY_FILE "$VARVE" check --no-keys --store "$T/dr"
same_objects "$VARVE_STORE" "$T/dr"

# check_names OBJECT: without a key, and so without a memory.
check_names() {
	run 3 env -u VARVE_KEY_FILE "$VARVE" check --no-keys
	out_has "damaged: $1"
}

part 'something else in place of the newest record, an index, a key'
for dir in "datasets/$dataset/log" "datasets/$dataset/index" keys; do
	object=$dir/$(ls "$VARVE_STORE/$dir" | tail -n 1)
	mv "$VARVE_STORE/$object" "$T/object"
	mkfifo "$VARVE_STORE/$object"
	check_names "$object: is not a regular file"
	rm "$VARVE_STORE/$object"
	mv "$T/object" "$VARVE_STORE/$object"
done

part 'something else in place of a pack: what it had is stored again'
object=$(cd "$VARVE_STORE" && find "datasets/$dataset/packs" -type f | head -n 1)
mv "$VARVE_STORE/$object" "$T/object"
mkdir "$VARVE_STORE/$object"
check_names "$object: is not a regular file"
backup d "$src"
backup other "$src"
rmdir "$VARVE_STORE/$object"
mv "$T/object" "$VARVE_STORE/$object"

part 'something else in place of a dataset'
mv "$VARVE_STORE/datasets/$dataset" "$T/away"
echo >"$VARVE_STORE/datasets/$dataset"
check_names "datasets/$dataset/"
run 4 varve replicate dr-london
err_has "datasets/$dataset/log"
rm "$VARVE_STORE/datasets/$dataset"
mv "$T/away" "$VARVE_STORE/datasets/$dataset"
run 0 varve check --read-data

# forge FILE: its last byte is another, and its name that of what it is now.
forge() {
	last=$(tail -c 1 "$1" | od -An -tu1)
	head -c -1 "$1" >"$T/forged"
	# shellcheck disable=SC2059 # the byte, in octal
	printf "\\$(printf %o $((last ^ 1)))" >>"$T/forged"
	seq=$(basename "$1" | cut -d - -f 1)
	mv "$T/forged" "${1%/*}/$seq-$(sha256sum "$T/forged" | cut -d ' ' -f 1)"
	rm -f "$1"
}

# afresh ARG...: on a machine that has seen nothing yet.
afresh() {
	rm -rf "$T/afresh"
	VARVE_PASSPHRASE=$passphrase XDG_STATE_HOME=$T/afresh \
	    run 3 env -u VARVE_KEY_FILE "$VARVE" "$@"
}

part 'a log that nobody signed who may'
for record in "$VARVE_STORE/datasets/$dataset/log"/*; do
	forge "$record"
done
afresh list
err_has 'the signature does not hold'
out_has '  new'
afresh list --json
equal "$(jq '.datasets | length' "$T/out")" 2 'datasets that list shows'
afresh find file
err_has 'the signature does not hold'
equal "$(grep -o '[a-z]*:file$' "$T/out" | sort -u | wc -l)" 1 \
    'datasets that find looks into'
afresh check
out_has 'the signature does not hold'

part 'an admin whose grant is gone'
VARVE_STORE=$T/alone
export VARVE_PASSPHRASE="$passphrase"
unset VARVE_KEY_FILE
varve init >"$T/init"
backup d "$src"
grant=$(grep -l '^VRVg' "$VARVE_STORE/keys"/*)
mv "$grant" "$T/grant"
for what in check 'check --read-data'; do
	# shellcheck disable=SC2086 # words
	afresh $what
	out_has 'the grant of the first admin is missing'
	out_has 'not all snapshots of 1 dataset'
done
run 0 varve list
err_has 'this key may see none of the datasets'
mv "$T/grant" "$grant"

part 'what was remembered is damaged'
export XDG_STATE_HOME="$T/remembered"
run 0 varve check
echo 'no database' >"$XDG_STATE_HOME/varve/heads.db"
run 3 varve check -q
err_has 'nothing can be remembered of this store'
run 3 varve check
out_has 'no damage found in the store'
