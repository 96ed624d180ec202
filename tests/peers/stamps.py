"""Signatures by minisign both ways, and stamped archives in other people's unpackers, unchanged."""

import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import urllib.request
import zipfile
import zlib

from server import plain_environment, serving

HERE = pathlib.Path(__file__).resolve().parent
STAMP = "LICENSE-KITWARD.json"
KIT = "feedback-widget"
FILES = {f"kit/src/file{n}.txt": (f"file {n}\n" * (n * 40 + 1)).encode() for n in range(60)}
FILES["kit/übung/[id].tsx"] = os.urandom(5000)

outcomes = {True: 0, False: 0}


def check(name, good, found=""):
    outcomes[bool(good)] += 1
    print(f"{'ok    ' if good else 'FAILED'} {name}", "" if good else f"({found})")


def run(*words, env=None, cwd=None, text=True):
    return subprocess.run(
        [str(word) for word in words], env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=text,
        timeout=120,
    )


def must(*words, **settings):
    done = run(*words, **settings)
    if done.returncode:
        raise SystemExit(f"{words}: {done.stdout} {done.stderr}")
    return done.stdout


class Vendor:
    """A server with a kit that stamps, a license for it, and a vendor's own minisign key."""

    def __init__(self, url, data, folder):
        self.url, self.folder = url, folder
        self.program = os.environ["KITWARD_BIN"]
        local = plain_environment() | {"KITWARD_DATA_DIR": data, "KITWARD_PUBLIC_URL": url}
        token = json.loads(must(self.program, "--json", "token", "create", "--scope", "admin", env=local, cwd=folder))
        secret = next(value for value in token.values() if str(value).startswith("kwa_"))
        self.environment = plain_environment() | {"KITWARD_URL": url, "KITWARD_TOKEN": secret}

    def command(self, *words):
        out = must(self.program, "--json", *words, env=self.environment, cwd=self.folder)
        return json.loads(out)

    def try_command(self, *words):
        return run(self.program, *words, env=self.environment, cwd=self.folder)

    def fetch(self, path, key=None):
        request = urllib.request.Request(self.url + path)
        if key:
            request.add_header("Authorization", f"License {key}")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.read()


def make_archives(folder):
    with zipfile.ZipFile(folder / "kit.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in FILES.items():
            archive.writestr(name, content)
        archive.comment = b"made by the peers"
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w") as archive:
        for name, content in FILES.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    (folder / "kit.tar").write_bytes(plain.getvalue())
    must("gzip", "--keep", folder / "kit.tar")
    must("zstd", "--quiet", "--keep", folder / "kit.tar")


def check_zip(copy, folder):
    expected = {name: zlib.crc32(content) for name, content in FILES.items()}
    names = set(expected) | {STAMP}

    done = run("unzip", "-t", copy)
    check("Info-ZIP finds no fault", done.returncode == 0, done.stdout[-300:] + done.stderr)
    with zipfile.ZipFile(copy) as archive:
        fault = archive.testzip()
        found = {entry.filename: entry.CRC for entry in archive.infolist()}
        comment = archive.comment
    check("Python finds no fault", fault is None and set(found) == names, fault)
    check("Python reads what was packed", all(found.get(name) == crc for name, crc in expected.items()))
    check("the comment stays", comment == b"made by the peers", comment)
    done = run("java", HERE / "unpack.java", copy, env=os.environ | {"LC_ALL": "C.UTF-8"})
    rows = dict(line.rsplit(" ", 1) for line in done.stdout.splitlines())
    same = all(int(rows.get(name, "-1"), 16) == crc for name, crc in expected.items() if name.isascii())
    check("Java reads both ways alike", done.returncode == 0 and same and STAMP in rows, done.stderr[-300:])
    done = run("bsdtar", "-tf", copy, env=os.environ | {"LC_ALL": "C.UTF-8"})
    check("bsdtar lists all", set(done.stdout.splitlines()) == names, done.stderr)
    target = folder / "bsdtar"
    target.mkdir()
    done = run("bsdtar", "-xf", copy, "-C", target, env=os.environ | {"LC_ALL": "C.UTF-8"})
    same = all((target / name).read_bytes() == content for name, content in FILES.items())
    check("bsdtar unpacks what was packed", done.returncode == 0 and same, done.stderr)
    done = run("7z", "t", copy)
    good = done.returncode == 0 and "Everything is Ok" in done.stdout and "arning" not in done.stdout
    check("7-Zip finds no fault", good, done.stdout[-400:])
    script = (
        "$z = new ZipArchive; if ($z->open($argv[1], ZipArchive::CHECKCONS) !== true) exit(1);"
        "for ($i = 0; $i < $z->numFiles; $i++) { $s = $z->statIndex($i);"
        " if (crc32($z->getFromIndex($i)) !== $s['crc']) exit(2); echo $s['name'], \"\\n\"; }"
    )
    done = run("php", "-r", script, copy)
    check("PHP finds no fault", done.returncode == 0 and set(done.stdout.splitlines()) == names, done.stdout[-300:])


def check_tar(copy, folder, listers):
    names = set(FILES) | {STAMP}
    for lister in listers:
        done = run(*lister, copy, env=os.environ | {"LC_ALL": "C.UTF-8"}, cwd=folder)
        found = {line.rstrip() for line in done.stdout.splitlines()}
        check(f"{' '.join(lister)} lists {copy.name}", found == names, done.stderr + str(len(found)))
    if copy.suffix == ".gz":
        with tarfile.open(copy) as archive:
            same = all(archive.extractfile(name).read() == content for name, content in FILES.items())
            check("Python reads the stamped tar.gz", same and STAMP in archive.getnames())


def check_reversed(vendor, copy, original, public, license_id):
    undone = copy.with_suffix(copy.suffix + ".original")
    words = ["artifact", "verify", copy, "--key", public, "--output", undone]
    done = vendor.try_command("--json", *words)
    found = json.loads(done.stdout) if done.returncode == 0 else {}
    check(f"verify names the license of {copy.name}", found.get("license") == license_id, done.stderr)
    same = undone.exists() and undone.read_bytes() == original.read_bytes()
    check(f"verify gives {original.name} back", same)


def check_server_signature(vendor, folder, artifacts, public):
    for name, artifact in artifacts.items():
        (folder / f"{name}.minisig").write_text(artifact["signature"])
        done = run("minisign", "-V", "-m", folder / name, "-P", public)
        good = done.returncode == 0 and f"file:{name}\tversion:1.0.0\tkit:{KIT}" in done.stdout
        check(f"minisign verifies the server's signature of {name}", good, done.stdout + done.stderr)
    done = run("minisign", "-V", "-m", folder / "kit.zip", "-x", folder / "kit.tar.gz.minisig", "-P", public)
    check("minisign refuses another file's signature", done.returncode != 0)


def check_vendor_signature(vendor, folder, release):
    text = f"timestamp:1800000000\tfile:kit.zip\tversion:1.0.0"
    sign = ["minisign", "-S", "-s", folder / "own.key", "-m", folder / "kit.zip"]
    for name, comment, good in [
        ("wrong version", text.replace("1.0.0", "0.9.0"), False),
        ("no version", "timestamp:1800000000\tfile:kit.zip", False),
        ("other file", text.replace("kit.zip", "kit.tar.gz"), False),
        ("right", text, True),
    ]:
        must(*sign, "-x", folder / "own.minisig", "-t", comment)
        done = vendor.try_command("release", "sign", release, "--signature", folder / "own.minisig")
        check(f"the vendor's signature: {name}", (done.returncode == 0) == good, done.stdout + done.stderr)
    discovery = json.loads(vendor.fetch("/.well-known/kitward.json"))
    own = (folder / "own.pub").read_text().splitlines()[1]
    check("both keys are published", own in discovery["minisign_keys"] and len(discovery["minisign_keys"]) == 2)
    done = vendor.try_command("artifact", "verify", folder / "kit.zip", "--signature", folder / "own.minisig", "--key", own)
    check("verify takes the vendor's signature", done.returncode == 0, done.stderr)
    done = vendor.try_command("artifact", "verify", folder / "kit.tar", "--signature", folder / "own.minisig", "--key", own)
    check("verify refuses it for another file", done.returncode == 1, done.stdout)


def work(vendor, folder):
    make_archives(folder)
    vendor.command("kit", "create", KIT, "--name", "Feedback Widget Kit", "--status", "released", "--stamps")
    policy = vendor.command("policy", "create", "personal", "--edition", "Personal", "--kit", KIT, "--seat-kind", "none")
    names = ["kit.zip", "kit.tar.gz", "kit.tar.zst"]
    release = vendor.command("publish", KIT, "1.0.0", *[folder / name for name in names])
    artifacts = {artifact["name"]: artifact for artifact in release["artifacts"]}
    issued = vendor.command("license", "issue", policy["id"], "--email", "buyer@example.com")
    text = json.dumps(issued)
    key = text[text.index("kwl_") :].split('"')[0]
    license_id = text[text.index("lic_") :].split('"')[0]
    public = json.loads(vendor.fetch("/.well-known/kitward.json"))["minisign_keys"][0]
    check_server_signature(vendor, folder, artifacts, public)

    copies = folder / "copies"
    copies.mkdir()
    for name in names:
        path = f"/v1/kits/{KIT}/releases/1.0.0/artifacts/{name}"
        copy = copies / name
        copy.write_bytes(vendor.fetch(path, key))
        check(f"two downloads of {name} are one file", vendor.fetch(path, key) == copy.read_bytes())
        check(f"{name} is stamped", copy.read_bytes() != (folder / name).read_bytes())
        check_reversed(vendor, copy, folder / name, public, license_id)
    check_zip(copies / "kit.zip", copies)
    check_tar(copies / "kit.tar.gz", copies, [["tar", "--quoting-style=literal", "-tzf"], ["bsdtar", "-tf"]])
    check_tar(copies / "kit.tar.zst", copies, [["tar", "--quoting-style=literal", "--zstd", "-tf"]])
    check_vendor_signature(vendor, folder, release["id"])


def main():
    missing = [name for name in ["minisign", "unzip", "bsdtar", "7z", "php", "zstd", "java"] if not shutil.which(name)]
    if missing:
        print(f"{'FAILED' if os.environ.get('CI') else 'skipped'}: not installed: {', '.join(missing)}")
        sys.exit(bool(os.environ.get("CI")))
    with tempfile.TemporaryDirectory(prefix="kitward-stamps-") as name:
        folder = pathlib.Path(name)
        data = folder / "data"
        must("minisign", "-G", "-W", "-p", folder / "own.pub", "-s", folder / "own.key")
        own = (folder / "own.pub").read_text().splitlines()[1]
        changed = {"KITWARD_DATA_DIR": str(data), "KITWARD_VENDOR_MINISIGN_KEYS": own}
        with serving(changed) as url:
            work(Vendor(url, str(data), folder), folder)
    print(f"{outcomes[True]} passed, {outcomes[False]} failed")
    sys.exit(outcomes[False] > 0)


if __name__ == "__main__":
    main()
