import Foundation

extension HTTPGitServer {
  /// What goes wrong from now on: a list in JSON, of which the first that fits an occasion is taken, `count` times at most.
  ///
  /// `at`: `batch` or `object`; `oid`: of one object. Then one of `status` (with `headers` and `message`), `errors` (an HTTP
  /// status by oid, or `*`), `action` (in place of the server's own; `OID` stands for the object), `raw` (a body), `cut` (so
  /// many bytes, and the end of the connection, once the client's file `grown` has them), `content` (something else), `location` (a redirect), `silent`, `whole` (no
  /// ranges).
  package func misbehave(_ faults: String) throws {
    let file = URL(fileURLWithPath: largeFiles + ".json")
    try Data(faults.utf8).write(to: file, options: .atomic)
  }

  /// Where the server has a content.
  package func largeFile(_ oid: String) throws -> String {
    try FileManager.default.createDirectory(
      atPath: largeFiles, withIntermediateDirectories: true)
    return largeFiles + "/" + oid
  }

  /// The lines of its log that say what was asked of it as an LFS server.
  package func asked(_ what: String) -> [String] {
    log.split(separator: "\n").map(String.init).filter { $0.hasPrefix("LFS " + what) }
  }

  /// Source: git-lfs, docs/api/batch.md, docs/api/basic-transfers.md.
  static let largeFileScript = #"""
    import json, os, shutil, sys, threading, time

    class LargeFiles:
        lock = threading.Lock()
        taken = {}

        def fault(self, at, oid=None):
            with self.lock:
                if not os.path.exists(large_files + ".json"):
                    return {}
                for number, fault in enumerate(json.load(open(large_files + ".json"))):
                    key = json.dumps([number, fault])
                    if fault["at"] != at or fault.get("oid", oid) != oid:
                        continue
                    if self.taken.get(key, 0) < fault.get("count", 1 << 30):
                        self.taken[key] = self.taken.get(key, 0) + 1
                        return fault
                return {}

        def note(self, text):
            seen = " ".join(
                "%s=%s" % (name, self.headers[name]) for name in ("Range", "X-Key") if self.headers[name])
            shown = "yes" if self.headers.get("Authorization") else "no"
            print("LFS %s auth=%s %s" % (text, shown, seen), file=sys.stderr, flush=True)

        def say(self, code, value, headers=[]):
            headers = [("Content-Type", "application/vnd.git-lfs+json")] + list(headers)
            self.answer(code, headers, value.encode() if isinstance(value, str) else json.dumps(value).encode())

        def fail(self, fault):
            self.say(fault["status"], {"message": fault.get("message", "")}, fault.get("headers", {}).items())

        def large_file(self, data):
            """Whether the request was one for large files."""
            repository, found, what = self.path.partition("/info/lfs/")
            if not found:
                return False
            if what == "objects/batch":
                self.batch(json.loads(data), repository + found)
            elif what.startswith("objects/"):
                self.content(what[len("objects/"):], data)
            else:
                self.say(404, {"message": "no such thing"})
            return True

        def batch(self, question, place):
            operation, objects = question["operation"], question["objects"]
            self.note("batch %s %d %s %s %s" % (
                operation, len(objects), question.get("ref", {}).get("name"), question.get("hash_algo"),
                ",".join(question.get("transfers", []))))
            wanted = "application/vnd.git-lfs+json"
            if self.command != "POST" or not self.headers["Content-Type"].startswith(wanted):
                return self.say(415, {"message": "another type"})
            fault = self.fault("batch")
            if "status" in fault:
                return self.fail(fault)
            if "raw" in fault:
                return self.say(200, fault["raw"])
            said = []
            for item in objects:
                oid = item["oid"]
                answer = {"oid": oid, "size": item["size"]}
                path = os.path.join(large_files, oid)
                error = fault.get("errors", {}).get(oid) or fault.get("errors", {}).get("*")
                if operation == "download" and not error and not os.path.exists(path):
                    error = 404
                if error:
                    answer["error"] = {"code": error, "message": "Object does not exist" if error == 404 else "no"}
                elif operation == "download" or not os.path.exists(path):
                    action = fault.get("action") or {
                        "href": base + place + "objects/OID", "header": {"X-Key": "k-" + oid[:8]}}
                    answer["actions"] = {operation: dict(action, href=action["href"].replace("OID", oid))}
                said.append(answer)
            self.say(200, {"transfer": "basic", "objects": said, "hash_algo": "sha256"})

        def content(self, oid, data):
            path = os.path.join(large_files, oid)
            self.note("%s %s" % (self.command, oid))
            if self.command == "PUT":
                os.makedirs(large_files, exist_ok=True)
                open(path, "wb").write(data)
                return self.answer(200, [], b"")
            fault = self.fault("object", oid)
            if "status" in fault:
                return self.fail(fault)
            if "location" in fault:
                return self.answer(302, [("Location", fault["location"].replace("OID", oid))], b"")
            if fault.get("silent"):
                return time.sleep(600)
            if not os.path.exists(path):
                return self.say(404, {"message": "gone"})
            size, start = os.path.getsize(path), 0
            asked = self.headers.get("Range", "")
            if asked.startswith("bytes=") and not fault.get("whole"):
                start = int(asked[len("bytes="):].rstrip("-"))
                if start >= size:
                    return self.answer(416, [("Content-Range", "bytes */%d" % size)], b"")
            if "content" in fault:
                return self.answer(200, [], fault["content"].encode())
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", "bytes %d-%d/%d" % (start, size - 1, size))
            self.send_header("Content-Length", str(size - start))
            self.end_headers()
            with open(path, "rb") as file:
                file.seek(start)
                if "cut" in fault:
                    self.wfile.write(file.read(fault["cut"]))
                    self.wfile.flush()
                    grown = fault.get("grown")
                    while grown and (not os.path.exists(grown) or os.path.getsize(grown) < start + fault["cut"]):
                        time.sleep(0.01)
                    self.close_connection = True
                    self.connection.shutdown(2)
                else:
                    shutil.copyfileobj(file, self.wfile, 1 << 20)

    """#
}
