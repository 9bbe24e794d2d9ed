#!/bin/sh
# Replication: by a local path, TLS and ssh; pushed and pulled; cut anywhere; and
# everything that has to be refused.
. "$(dirname "$0")/lib.sh"

# --- sites -----------------------------------------------------------------

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
	VARVE_PASSPHRASE=$passphrase run 0 env -u VARVE_KEY_FILE \
	    "$VARVE" site add "$1" "$2" "$T/$1.request"
}

# as_admin COMMAND...
as_admin() {
	VARVE_PASSPHRASE=$passphrase env -u VARVE_KEY_FILE "$@"
}

# replicate SITE [OPTION]...: succeeds, wholly.
replicate() {
	run 0 varve replicate "$@"
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

src=$T/source
mkdir -p "$src"
head -c 3000000 /dev/urandom >"$src/data"
new_store
passphrase=$VARVE_PASSPHRASE
use_key d e
backup d "$src"

part 'to a directory of this machine'
new_site "$T/dr" dr-london GB
add_site dr-london "$T/dr"
replicate dr-london
out_has 'sent to site'
same_objects "$VARVE_STORE" "$T/dr"
run 0 varve check --no-keys -s "$T/dr"
mkdir "$T/back"
run 0 varve restore -q -s "$T/dr" d@latest "$T/back/d"
same_tree "$src" "$T/back/d"

part 'nothing new'
replicate dr-london
out_has 'nothing new'

part 'what is new, and no more'
echo more >"$src/more"
backup d "$src"
backup e "$src"
replicate --json dr-london
equal "$(jq -r '.records, .problems' "$T/out" | tr '\n' ' ')" '2 0 ' 'records'
same_objects "$VARVE_STORE" "$T/dr"

part 'over TLS'
port=$(free_port)
new_site "$T/tls" dr-leeds GB
add_site dr-leeds "tls://127.0.0.1:$port"
refused 1 'cannot connect' varve replicate dr-leeds
serve_at "$T/tls" "$port"
replicate dr-leeds
same_objects "$VARVE_STORE" "$T/tls"
replicate dr-leeds
out_has 'nothing new'
stop_server

part 'over ssh, or what is said to be it'
new_site "$T/ssh" dr-york GB
add_site dr-york "ssh://backup@dr.example:2222$T/ssh"
cat >"$T/ssh.sh" <<-END
	#!/bin/sh
	echo "\$@" >$T/ssh.args
	while [ "\$1" != -- ]; do shift; done
	shift 2
	[ "\$1" = varve ] && shift
	eval "exec $VARVE \$*"
END
chmod +x "$T/ssh.sh"
replicate --ssh "$T/ssh.sh -q" dr-york
equal "$(cat "$T/ssh.args")" \
    "-q -p 2222 -- backup@dr.example varve serve --stdio '$T/ssh'" \
    'what ssh was told'
same_objects "$VARVE_STORE" "$T/ssh"
# Two pipes, and no socket.
cat >"$T/pipes.sh" <<-END
	#!/bin/sh
	cat | $T/ssh.sh "\$@" | cat
END
chmod +x "$T/pipes.sh"
VARVE_SSH=$T/pipes.sh replicate dr-york
out_has 'nothing new'
if [ -x /usr/sbin/sshd ] && command -v ssh-keygen >/dev/null; then
	sshport=$(free_port)
	mkdir -p "$T/sshd" /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$T/sshd/host"
	ssh-keygen -q -t ed25519 -N '' -f "$T/sshd/user"
	chmod 755 "$T/sshd"
	printf '#!/bin/sh\neval "exec %s ${SSH_ORIGINAL_COMMAND#varve}"\n' \
	    "$VARVE" >"$T/sshd/run"
	chmod 755 "$T/sshd/run"
	/usr/sbin/sshd -f /dev/null -p "$sshport" -h "$T/sshd/host" \
	    -o ListenAddress=127.0.0.1 -o "AuthorizedKeysFile=$T/sshd/user.pub" \
	    -o StrictModes=no -o PidFile="$T/sshd/pid" -o UsePAM=no \
	    -o "ForceCommand=$T/sshd/run"
	new_site "$T/sshd/dr" dr-hull GB
	add_site dr-hull "ssh://$(id -un)@127.0.0.1:$sshport$T/sshd/dr"
	replicate --ssh "ssh -i $T/sshd/user -o BatchMode=yes \
-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null" dr-hull
	same_objects "$VARVE_STORE" "$T/sshd/dr"
	kill "$(cat "$T/sshd/pid")"
else
	echo 'no sshd here: by the wrapper alone'
fi
