# What tests of replication start with, after lib.sh.
#
#	$passphrase	the admin's, also where a key file has taken its place
#	$server		the process that serve_at started last

# new_site DIR NAME COUNTRY [OPTION]...: an empty replica; its request is
# $T/NAME.request.
new_site() {
	local dir=$1 name=$2 country=$3
	shift 3
	run 0 varve serve "$dir" --init --site "$name" --country "$country" \
	    --accreditation 'ISO/IEC 27001:2022' --until 2099-01-01 \
	    --for "$VARVE_STORE/varve" "$@"
	cp "$T/out" "$T/$name.request"
}

# add_site NAME ADDRESS
add_site() {
	as_admin site add "$1" "$2" "$T/$1.request"
}

# as_admin ARGUMENT...: varve, by the passphrase; it succeeds.
as_admin() {
	VARVE_PASSPHRASE=$passphrase run 0 env -u VARVE_KEY_FILE "$VARVE" "$@"
}

# replicate SITE [OPTION]...: succeeds, wholly.
replicate() {
	run 0 varve replicate "$@"
}

# two_datasets_and_a_site: 'd' and 'other', both of $src, are at dr-london, which
# lies in $T/dr; a host's key takes the passphrase's place, but for as_admin.
two_datasets_and_a_site() {
	new_store
	passphrase=$VARVE_PASSPHRASE
	use_key d other
	backup d "$src"
	backup other "$src"
	new_site "$T/dr" dr-london GB
	add_site dr-london "$T/dr"
	replicate dr-london
}

# pick_log STORE: $log is one dataset's, in $dataset.
pick_log() {
	log=$(find "$1/datasets" -name log | sort | head -n 1)
	dataset=${log%/log}
	dataset=${dataset##*/}
}

# serve_at DIR PORT-VARIABLE: listens until the test ends; its pid is $server.
serve_at() {
	local dir=$1 port=$2
	"$VARVE" serve "$dir" --listen "127.0.0.1:$port" \
	    >"$T/serve.out" 2>"$T/serve.err" &
	server=$!
	within 10 grep -q serving "$T/serve.err"
}

stop_server() {
	kill -TERM "$server"
	wait "$server" || fail "the server ended with $?: $(cat "$T/serve.err")"
}

# free_port: one that nobody listens on now.
free_port() {
	local p
	for p in $(shuf -i 20000-29999 -n 50); do
		ss -Hltn "sport = :$p" | grep -q . || {
			echo "$p"
			return
		}
	done
	fail 'no free port'
}

# same_objects A B: two stores hold the same objects.
same_objects() {
	(cd "$1" && find varve keys datasets -type f ! -name lock ! -name run \
	    ! -name prune | sort | xargs sha256sum) >"$T/objects.a"
	(cd "$2" && find varve keys datasets -type f ! -name lock ! -name run \
	    ! -name prune | sort | xargs sha256sum) >"$T/objects.b"
	nothing diff "$T/objects.a" "$T/objects.b"
}

