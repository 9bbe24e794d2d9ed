#!/bin/sh
# What is damaged or missing comes back from another site, in both directions.
. "$(dirname "$0")/lib.sh"
. "$(dirname "$0")/sitelib.sh"

src=$T/source
mkdir -p "$src"
new_store
passphrase=$VARVE_PASSPHRASE
use_key d
for i in 1 2 3; do
	head -c 500000 /dev/urandom >"$src/data$i"
	backup d "$src"
done
new_site "$T/dr" dr-london GB
add_site dr-london "$T/dr"
replicate dr-london
# Who fetches is an admin, or a site.
unset VARVE_KEY_FILE
VARVE_PASSPHRASE=$passphrase
export VARVE_PASSPHRASE
cp -a "$VARVE_STORE" "$T/before"

# flip FILE: one byte of it, in the middle.
flip() {
	local size byte
	size=$(stat -c %s "$1")
	byte=$(od -An -tu1 -j $((size / 2)) -N 1 "$1" | tr -d ' ')
	chmod u+w "$1"
	printf "\\$(printf %o $(((byte + 1) % 256)))" |
	    dd of="$1" bs=1 seek=$((size / 2)) conv=notrunc 2>/dev/null
}

# of CLASS [N]: the N-th object of a class, below $dir.
of() {
	find "$dir/datasets" -path "*/$1/*" -type f | sort | sed -n "${2:-1}p"
}

# An index that has been merged into another is needed no more: the newest is.
indexes=$(find "$VARVE_STORE/datasets" -path '*/index/*' -type f \
    -printf '%T@ %P\n' | sort -n | cut -d ' ' -f 2)
oldest=$(echo "$indexes" | head -n 1)
newest=$(echo "$indexes" | tail -n 1)

# key LETTER: a key object of a kind, below $dir.
key() {
	local f
	for f in "$dir"/keys/*; do
		[ "$(head -c 4 "$f")" = "VRV$1" ] || continue
		echo "$f"
		return
	done
}

part 'nothing to do'
run 0 varve repair --from dr-london
out_has '0 damaged, 0 missing, 0 repaired'

for dir in "$VARVE_STORE" "$T/dr"; do
	if [ "$dir" = "$VARVE_STORE" ]; then
		from=dr-london
	else
		from=$VARVE_STORE
		run 0 varve serve "$VARVE_STORE" --init --site prod \
		    --country GB --accreditation x --until 2099-01-01
		cp "$T/out" "$T/prod.request"
		add_site prod "$VARVE_STORE"
	fi

	part "in $(basename "$dir"): each kind damaged, and each missing"
	# Not those by which the store is opened and the site is found.
	flip "$(key r)"
	rm -f "$(key k)"
	flip "$dir/datasets/$oldest"
	rm -f "$dir/datasets/$newest"
	for class in log packs; do
		flip "$(of "$class" 1)"
		rm -f "$(of "$class" 2)"
	done
	XDG_STATE_HOME=$T/other run 3 varve check --no-keys -s "$dir"
	XDG_STATE_HOME=$T/other run 3 varve repair --dry-run --from "$from" \
	    -s "$dir"
	out_has 'nothing was fetched'
	XDG_STATE_HOME=$T/other run 0 varve repair --json --from "$from" \
	    -s "$dir"
	equal "$(jq '.repaired - .damaged - .missing' "$T/out")" 0 'left over'
	equal "$(jq .damaged "$T/out")" 4 'damaged'
	equal "$(jq .missing "$T/out")" 4 'missing'
	aside=$(jq -r .aside "$T/out")
	equal "$(find "$dir/$aside" -type f | wc -l)" 4 'kept aside'
	XDG_STATE_HOME=$T/other run 0 varve check --no-keys -s "$dir"
	XDG_STATE_HOME=$T/other run 0 varve check --read-data -s "$dir"
done
same_objects "$VARVE_STORE" "$T/dr"

part 'what is damaged on both sides stays as it is, and is said'
dir=$VARVE_STORE
flip "$(of packs 1)"
bad=$(of packs 1)
flip "$T/dr/${bad#"$VARVE_STORE"}"
before=$(sha256sum <"$bad")
run 3 varve repair --from dr-london
out_has 'not repaired'
out_has "$(basename "$bad")"
equal "$(sha256sum <"$bad")" "$before" 'the damaged object'
