#!/usr/bin/env python3
"""The policies of docs/operate/s3.md and customers.md, as a user's and as the bucket's, on a real S3 server, Ceph RGW
(with_rgw.sh starts it): what they let a host or a customer do, what they do not, and what that server cannot enforce.
The table in s3.md says what is asserted here."""
import datetime
import hashlib
import hmac
import json
import os
import pathlib
import re
import subprocess
import unittest
import urllib.error
import urllib.parse
import urllib.request

PAGES = pathlib.Path(__file__).resolve().parents[2] / "docs/operate"
OWNER = (os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"])
CREATE = {"If-None-Match": "*"}
BUCKET, PREFIX = "logs", "pre"


def encoded(text, plain=""):
    return urllib.parse.quote(text, safe="-_.~" + plain)


def ask(who, method, path, query=(), headers=None, body=b""):
    """One signed request (AWS Signature Version 4): the status of the answer, and its body."""
    endpoint = os.environ["RGW_ENDPOINT"]
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    scope = f"{now[:8]}/us-east-1/s3/aws4_request"
    signed = {
        "host": endpoint.split("//")[1],
        "x-amz-date": now,
        "x-amz-content-sha256": hashlib.sha256(body).hexdigest(),
    }
    signed.update({name.lower(): value for name, value in (headers or {}).items()})
    arguments = "&".join(f"{encoded(name)}={encoded(value)}" for name, value in sorted(query))
    lines = [
        method,
        encoded(path, "/"),
        arguments,
        "".join(f"{name}:{signed[name]}\n" for name in sorted(signed)),
        ";".join(sorted(signed)),
        signed["x-amz-content-sha256"],
    ]
    to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256("\n".join(lines).encode()).hexdigest()])
    key = ("AWS4" + who[1]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    signed["authorization"] = (
        f"AWS4-HMAC-SHA256 Credential={who[0]}/{scope}, SignedHeaders={lines[4]}, Signature={signature}"
    )
    url = endpoint + encoded(path, "/") + ("?" + arguments if arguments else "")
    request = urllib.request.Request(
        url, method=method, headers=signed, data=body if method in ("PUT", "POST") else None
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


def admin(*arguments):
    subprocess.run(
        ["radosgw-admin", "-c", os.environ["RGW_DIR"] + "/ceph.conf", *arguments], check=True, capture_output=True
    )


OF_A_USER, OF_THE_BUCKET, NEVER_OVER, OF_A_READER = range(4)  # in s3.md


def documented_policies(host, page="s3.md"):
    """The JSON of the page, in its order, for this bucket, prefix and host."""
    text = (PAGES / page).read_text()
    blocks = [block for block in re.findall(r"```json\n(.*?)```", text, re.S) if "Statement" in block]
    for name, value in {"BUCKET": BUCKET, "PREFIX": PREFIX, "HOST": host, "USER": host}.items():
        blocks = [block.replace(name, value) for block in blocks]
    return [json.loads(block) for block in blocks]


def with_principal(policy, user):
    """A user's policy as one of the bucket."""
    principal = {"AWS": [f"arn:aws:iam:::user/{user}"]}
    return {**policy, "Statement": [{**statement, "Principal": principal} for statement in policy["Statement"]]}


def segment(host, place="hour", number=1, tenant="acme"):
    return f"/{BUCKET}/{PREFIX}/v1/tenant={tenant}/{place}=2026-11-29T10/host={host}/e1.{number:010}.age"


def heartbeat(host):
    return f"/{BUCKET}/{PREFIX}/v1/fleet/host={host}.json"


class Policy(unittest.TestCase):
    # "bare" and "guest" have no policy of their own: what the bucket's says is all.
    hosts = {
        host: (f"KEY{host}", f"SECRET{host}")
        for host in ("node-a", "node-b", "node", "reader", "customer", "bare", "guest")
    }

    @classmethod
    def setUpClass(cls):
        admin("caps", "add", "--uid=boatswain", "--caps=user-policy=*")
        for host, (key, secret) in cls.hosts.items():
            admin(
                "user",
                "create",
                f"--uid={host}",
                f"--display-name={host}",
                f"--access-key={key}",
                f"--secret-key={secret}",
            )
            if host in ("bare", "guest"):
                continue
            policy = (
                documented_policies(host, "customers.md")[0]
                if host == "customer"
                else documented_policies(host)[OF_A_READER if host == "reader" else OF_A_USER]
            )
            form = {
                "Action": "PutUserPolicy",
                "Version": "2010-05-08",
                "UserName": host,
                "PolicyName": "boatswain",
                "PolicyDocument": json.dumps(policy),
            }
            status, body = ask(OWNER, "POST", "/", list(form.items()))
            assert status == 200, body

    def setUp(self):
        """Each test has a bucket of the same name, which holds a segment of each host."""
        self.assertEqual(ask(OWNER, "PUT", f"/{BUCKET}")[0], 200)
        self.addCleanup(self.remove_bucket)
        for host in ("node-a", "node-b", "node"):
            self.expect(200, host, "PUT", segment(host), headers=CREATE, body=b"sealed")

    def remove_bucket(self):
        ask(OWNER, "DELETE", f"/{BUCKET}", [("policy", "")])
        admin("bucket", "rm", f"--bucket={BUCKET}", "--purge-objects")

    def expect(self, status, host, method, path, **more):
        got, body = ask(self.hosts[host], method, path, **more)
        self.assertEqual(got, status, f"{host} {method} {path}: {body}")

    def test_a_host_puts_and_reads_what_it_sealed(self):
        self.expect(412, "node-a", "PUT", segment("node-a"), headers=CREATE, body=b"other")
        self.expect(200, "node-a", "PUT", segment("node-a", "span"), headers=CREATE, body=b"sealed")
        second_form = segment("node-a").replace(".age", ".0123456789abcdef.age")
        self.expect(200, "node-a", "PUT", second_form, headers=CREATE, body=b"sealed")
        self.expect(200, "node-a", "HEAD", segment("node-a"))
        self.expect(200, "node-a", "GET", segment("node-a"))
        self.expect(404, "node-a", "HEAD", segment("node-a", number=2))
        self.expect(
            200, "node-a", "GET", f"/{BUCKET}/", query=[("list-type", "2"), ("max-keys", "1"), ("prefix", PREFIX + "/")]
        )

    def test_a_host_does_not_touch_anothers(self):
        for other in ("node-b", "node"):  # a name that is the start of another is no way in
            self.expect(403, "node-a", "PUT", segment(other, number=2), headers=CREATE, body=b"forged")
            self.expect(403, "node-a", "PUT", segment(other), body=b"forged")
            self.expect(403, "node-a", "GET", segment(other))
            self.expect(403, "node-a", "DELETE", segment(other))
            self.expect(
                403, "node-a", "PUT", segment("node-a", number=9), headers={"x-amz-copy-source": segment(other)}
            )
            self.expect(403, "node-a", "PUT", heartbeat(other), body=b"forged")
        self.expect(403, "node", "PUT", segment("node-a", number=2), headers=CREATE, body=b"forged")
        inside = segment("node-b").replace("/host=node-b/", "/host=node-b%2Fhost=node-a%2F/")
        self.expect(403, "node-a", "PUT", inside, headers=CREATE, body=b"forged")

    def test_a_host_replaces_its_own_heartbeat(self):
        for body in (b"first", b"second"):
            self.expect(200, "node-a", "PUT", heartbeat("node-a"), body=body)

    def test_a_host_deletes_nothing_and_changes_no_policy(self):
        self.expect(403, "node-a", "DELETE", segment("node-a"))
        self.expect(
            403,
            "node-a",
            "PUT",
            f"/{BUCKET}",
            query=[("policy", "")],
            body=json.dumps(documented_policies("node-a")[NEVER_OVER]).encode(),
        )
        self.expect(403, "node-a", "PUT", f"/{BUCKET}/{PREFIX}/elsewhere", headers=CREATE, body=b"x")

    def test_a_reader_reads_everything_and_writes_nothing(self):
        self.expect(200, "reader", "GET", segment("node-a"))
        self.expect(200, "reader", "GET", f"/{BUCKET}/", query=[("list-type", "2"), ("prefix", PREFIX + "/v1/")])
        self.expect(403, "reader", "PUT", segment("reader"), headers=CREATE, body=b"forged")
        self.expect(403, "reader", "PUT", heartbeat("reader"), body=b"forged")
        self.assertEqual(ask(OWNER, "GET", segment("node-a"))[0], 403)

    def set_bucket_policy(self, policy):
        status, body = ask(OWNER, "PUT", f"/{BUCKET}", [("policy", "")], body=json.dumps(policy).encode())
        self.assertIn(status, (200, 204), body)

    def test_the_policy_of_a_host_is_the_same_in_the_buckets_policy_with_a_principal(self):
        of_user, of_bucket = (documented_policies("bare")[which] for which in (OF_A_USER, OF_THE_BUCKET))
        self.assertEqual(of_bucket, with_principal(of_user, "bare"), "the page's two forms say the same")
        self.expect(403, "bare", "PUT", segment("bare"), headers=CREATE, body=b"sealed")
        self.set_bucket_policy(of_user)  # taken, and it grants nothing: nobody is named
        self.expect(403, "bare", "PUT", segment("bare"), headers=CREATE, body=b"sealed")
        self.set_bucket_policy(of_bucket)
        self.expect(200, "bare", "PUT", segment("bare"), headers=CREATE, body=b"sealed")
        self.expect(200, "bare", "GET", segment("bare"))
        self.expect(200, "bare", "PUT", heartbeat("bare"), body=b"first")
        self.expect(200, "bare", "GET", f"/{BUCKET}/", query=[("list-type", "2"), ("max-keys", "1")])
        self.expect(403, "bare", "PUT", segment("node-a", number=2), headers=CREATE, body=b"forged")
        self.expect(403, "bare", "GET", segment("node-a"))
        self.expect(403, "bare", "DELETE", segment("bare"))

    def test_a_customer_reads_its_own_prefix_alone_by_either_policy(self):
        other = segment("node-a", tenant="globex")
        self.expect(200, "node-a", "PUT", other, headers=CREATE, body=b"sealed")
        self.set_bucket_policy(with_principal(documented_policies("guest", "customers.md")[0], "guest"))
        for who in ("customer", "guest"):
            self.expect(200, who, "GET", segment("node-a"))
            own = [("list-type", "2"), ("prefix", f"{PREFIX}/v1/tenant=acme/")]
            self.expect(200, who, "GET", f"/{BUCKET}/", query=own)
            self.expect(403, who, "GET", other)
            for prefix in ("", f"{PREFIX}/v1/", f"{PREFIX}/v1/tenant=globex/", f"{PREFIX}/v1/tenant=acme"):
                self.expect(403, who, "GET", f"/{BUCKET}/", query=[("list-type", "2"), ("prefix", prefix)])
            self.expect(403, who, "PUT", segment(who), headers=CREATE, body=b"forged")
            self.expect(403, who, "DELETE", segment("node-a"))

    def test_what_this_server_cannot_enforce_is_what_the_page_says(self):
        self.expect(200, "node-a", "PUT", segment("node-a"), body=b"over it, without If-None-Match")
        policy = json.dumps(documented_policies("node-a")[NEVER_OVER]).encode()
        self.assertIn(ask(OWNER, "PUT", f"/{BUCKET}", [("policy", "")], body=policy)[0], (200, 204))
        self.expect(403, "node-a", "PUT", segment("node-a", number=2), headers=CREATE, body=b"sealed")
        self.expect(403, "node-a", "PUT", segment("node-a"), body=b"over it")
        self.expect(200, "node-a", "PUT", heartbeat("node-a"), body=b"as before")

    def test_versions_keep_what_was_written_over(self):
        enable = b"<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>"
        self.assertEqual(ask(OWNER, "PUT", f"/{BUCKET}", [("versioning", "")], body=enable)[0], 200)
        self.expect(200, "node-a", "PUT", segment("node-a"), headers=CREATE, body=b"though one is there")
        key = segment("node-a").removeprefix(f"/{BUCKET}/")
        listed = ask(OWNER, "GET", f"/{BUCKET}/", [("versions", ""), ("prefix", key)])[1]
        versions = re.findall(r"<VersionId>(.*?)</VersionId>", listed)
        bodies = {
            ask(self.hosts["reader"], "GET", segment("node-a"), [("versionId", version)])[1] for version in versions
        }
        self.assertEqual(bodies, {"sealed", "though one is there"})


if __name__ == "__main__":
    unittest.main()
