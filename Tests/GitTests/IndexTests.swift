import Foundation
import Git
import GitModel
import Testing

struct IndexTests {
  private static func path(_ name: String) throws -> TreePath { try TreePath(name) }

  private static func status(_ test: TestRepository, _ name: String) throws -> IndexedStatus {
    var status = stat()
    guard unsafe lstat(test.path + "/" + name, &status) == 0 else {
      throw CocoaError(.fileNoSuchFile)
    }
    return IndexedStatus(
      changed: .init(seconds: status.st_ctim.tv_sec, nanoseconds: status.st_ctim.tv_nsec),
      modified: .init(seconds: status.st_mtim.tv_sec, nanoseconds: status.st_mtim.tv_nsec),
      device: UInt64(status.st_dev), inode: UInt64(status.st_ino), user: status.st_uid,
      group: status.st_gid, byteCount: Int(status.st_size))
  }

  /// Writes the file and the object, and answers what the index is to say of it.
  private static func upsert(
    _ test: TestRepository, _ name: String, _ content: String, _ mode: FileMode = .regular
  ) throws -> IndexUpsert {
    try test.write(name, content.utf8)
    let id = try test.open().objects.write(.blob, Array(content.utf8))
    return IndexUpsert(
      path: try TreePath(name), entry: TreeEntry(mode: mode, id: id), status: try status(test, name)
    )
  }

  private static func open(_ test: TestRepository) throws -> IndexUpdater {
    let index = try IndexUpdater(gitDirectory: test.path + "/.git")
    try index.refresh()
    return index
  }

  private static func update(
    _ index: IndexUpdater, removals: [TreePath], upserts: [IndexUpsert]
  ) throws {
    try index.refresh()
    try index.prepare(removals: removals, upserts: upserts)
    try index.publish(.umask)
  }

  @Test func `git sees no change after update`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n", "d/b": "2\n", "e": "3\n"])
    let index = try Self.open(test)
    let changed = try Self.upsert(test, "a", "new\n")
    let added = try Self.upsert(test, "x/y", "added\n")
    try FileManager.default.removeItem(atPath: test.path + "/e")
    try FileManager.default.removeItem(atPath: test.path + "/d/b")
    let swapped = try Self.upsert(test, "d/b/c", "directory now\n")
    try Self.update(
      index,
      removals: [Self.path("e"), Self.path("d/b"), Self.path("never")],
      upserts: [changed, added, swapped])
    #expect(index.entryCount == 3)
    #expect(index.entry(at: try Self.path("a")) == .entry(changed.entry))
    #expect(index.entry(at: try Self.path("e")) == .nothing)
    let tree = try test.text(["write-tree"])
    try test.git(["read-tree", tree])
    #expect(
      try test.text(["status", "--porcelain", "--ignored"]).split(separator: "\n").count == 5)
    try test.git(["commit", "-q", "-m", "x"])
    #expect(try test.text(["status", "--porcelain"]).isEmpty)
    #expect(try test.text(["diff-files"]).isEmpty)
  }

  @Test func `takes every path that a tree may have`() throws {
    let test = try TestRepository()
    let names = [
      "a b ", " a", "m\\x", "n\nl", "t\ta\u{1}b", "\"q\"", "é", "con.txt", "a:b", "--- a",
      ".gitx/y",
      ".gitattributes", "dir/.gitmodules", "x~1", String(repeating: "n", count: 250),
    ]
    let upserts = try names.map { try Self.upsert(test, $0, "content of \($0)") }
    let odd = IndexUpsert(
      path: try TreePath([0xe9, 0xff]), entry: upserts[0].entry, status: nil)
    let index = try Self.open(test)
    try Self.update(index, removals: [], upserts: upserts + [odd])
    let listed = try test.git(["ls-files", "-z"]).split(separator: 0).map(Array.init)
    #expect(Set(listed) == Set((upserts + [odd]).map(\.path.bytes)))
    for upsert in upserts + [odd] { #expect(index.entry(at: upsert.path) == .entry(upsert.entry)) }
    try Self.update(index, removals: (upserts + [odd]).map(\.path), upserts: [])
    #expect(try test.text(["ls-files"]).isEmpty)
  }

  @Test func `entries need no refresh after update`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n"])
    let changed = try Self.upsert(test, "a", "other\n")
    // Long before the index is written, so that the entry is not in doubt.
    try FileManager.default.setAttributes(
      [.modificationDate: Date(timeIntervalSince1970: 1_600_000_000)],
      ofItemAtPath: test.path + "/a")
    let index = try Self.open(test)
    let upsert = IndexUpsert(
      path: changed.path, entry: changed.entry, status: try Self.status(test, "a"))
    try Self.update(index, removals: [], upserts: [upsert])
    // Without a refresh, git tells an entry whose status differs from the file's.
    #expect(try test.text(["diff-files"]).isEmpty)
    #expect(try test.text(["ls-files", "-s", "a"]).hasPrefix("100644 \(changed.entry.id)"))
  }

  @Test func `keeps what another program changed`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n", "b": "1\n"])
    let index = try Self.open(test)
    try test.write("b", "staged by a person\n".utf8)
    try test.git(["add", "b"])
    let upsert = try Self.upsert(test, "a", "2\n")
    try Self.update(index, removals: [], upserts: [upsert])
    #expect(try test.text(["rev-parse", ":b"]) == (try test.text(["hash-object", "b"])))
    #expect(try test.text(["rev-parse", ":a"]) == upsert.entry.id.hex)
    try test.git(["rm", "-q", "--cached", "b"])
    #expect(index.entry(at: try Self.path("b")) != .nothing)
    try index.refresh()
    #expect(index.entry(at: try Self.path("b")) == .nothing)
  }

  @Test func `distrusts files written with the index`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n", "b": "1\n"])
    // Both in one second, then changed without a trace in its status: git compares seconds.
    let moment = timespec(tv_sec: 1_700_000_000, tv_nsec: 0)
    let later = timespec(tv_sec: 1_700_000_000, tv_nsec: 900_000_000)
    #expect(unsafe utimensat(AT_FDCWD, test.path + "/a", [moment, moment], 0) == 0)
    try test.git(["update-index", "--refresh"])
    #expect(unsafe utimensat(AT_FDCWD, test.path + "/.git/index", [later, later], 0) == 0)
    let index = try Self.open(test)
    try Self.update(index, removals: [], upserts: [Self.upsert(test, "b", "2\n")])
    let sizes = try test.text(["ls-files", "--debug", "a"])
    #expect(sizes.contains("size: 0"))
    #expect(try test.text(["status", "--porcelain"]) == "M  b")
  }

  @Test func `a change right after the look at a file is seen by git`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n"])
    // Of the file's change time, which nobody can set, the test has no say.
    try test.git(["config", "core.trustctime", "false"])
    func write(_ text: String, nanoseconds: Int) throws {
      try test.write("a", text.utf8)
      let time = timespec(tv_sec: 1_700_000_000, tv_nsec: nanoseconds)
      #expect(unsafe utimensat(AT_FDCWD, test.path + "/a", [time, time], 0) == 0)
    }
    let index = try Self.open(test)
    let changed = try Self.upsert(test, "a", "2\n")
    try write("2\n", nanoseconds: 200_000_000)
    let upsert = IndexUpsert(
      path: changed.path, entry: changed.entry, status: try Self.status(test, "a"))
    try write("3\n", nanoseconds: 700_000_000)
    try index.prepare(
      removals: [], upserts: [upsert],
      lookedAt: IndexedStatus.Time(seconds: 1_700_000_000, nanoseconds: 500_000_000))
    try index.publish(.umask)
    #expect(try test.text(["status", "--porcelain"]) == "MM a")
  }

  @Test func `tells unmerged paths and settles them`() throws {
    let test = try TestRepository()
    try test.commit(["a": "0\n"])
    try test.git(["checkout", "-q", "-b", "side"])
    try test.commit(["a": "1\n"])
    try test.git(["checkout", "-q", "main"])
    try test.commit(["a": "2\n"])
    #expect(try test.run(["merge", "side"]).status != 0)
    let index = try Self.open(test)
    #expect(index.entry(at: try Self.path("a")) == .unmerged)
    let upsert = try Self.upsert(test, "a", "3\n")
    try Self.update(index, removals: [], upserts: [upsert])
    #expect(index.entry(at: try Self.path("a")) == .entry(upsert.entry))
    #expect(try test.text(["ls-files", "-u"]).isEmpty)
  }

  @Test func `a change that is discarded is in neither memory nor file`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n"])
    let before = try test.text(["ls-files", "-s"])
    let index = try Self.open(test)
    try index.prepare(removals: [Self.path("a")], upserts: [])
    #expect(index.entry(at: try Self.path("a")) == .nothing)
    index.discard()
    try index.refresh()
    #expect(index.entry(at: try Self.path("a")) != .nothing)
    #expect(try test.text(["ls-files", "-s"]) == before)
    try test.git(["fsck", "--strict"])
  }

  /// What git wrote in a form that is not read here may hold staged changes.
  @Test func `a split index is told from a damaged one`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n"])
    try test.git(["update-index", "--split-index"])
    let error = #expect(throws: GitError.self) { try Self.open(test) }
    guard case .indexUnsupported = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  enum Damage: CaseIterable { case noIndex, emptied, zeroed, cutOff, flipped }

  @Test(arguments: Damage.allCases)
  func `an index that git cannot read either is rebuilt from a tree`(damage: Damage) throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n", "d/b": "2\n"])
    let path = test.path + "/.git/index"
    var bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
    switch damage {
    case .noIndex: bytes = Array("no index at all, but long enough to be one".utf8)
    case .emptied: bytes = []
    case .zeroed: bytes = [UInt8](repeating: 0, count: bytes.count)
    case .cutOff: bytes.removeLast(30)
    case .flipped: bytes[40] ^= 1
    }
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    let index = try IndexUpdater(gitDirectory: test.path + "/.git")
    let error = #expect(throws: GitError.self) { try index.refresh() }
    guard case .indexUnreadable = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    let repository = try test.open()
    let head = try #require(try repository.headCommit())
    try index.rebuild(from: repository.objects.commit(head).tree, of: repository)
    try index.prepare(removals: [], upserts: [])
    try index.publish(.umask)
    #expect(try test.text(["status", "--porcelain"]).isEmpty)
    #expect(try test.text(["ls-files"]) == "a\nd/b")
  }

  /// git writes none where index.skipHash is set (git-config(1)).
  @Test func `an index without a checksum is read, with what is staged in it`() throws {
    let test = try TestRepository()
    try test.commit(["a": "1\n"])
    try test.write("b", "staged\n".utf8)
    try test.git(["add", "b"])
    let path = test.path + "/.git/index"
    let bytes = try Data(contentsOf: URL(fileURLWithPath: path))
    try (bytes.dropLast(20) + Data(count: 20)).write(to: URL(fileURLWithPath: path))
    let index = try Self.open(test)
    #expect(index.entry(at: try Self.path("b")) != .nothing)
    try index.prepare(removals: [], upserts: [])
    try index.publish(.umask)
    #expect(try test.text(["status", "--porcelain"]) == "A  b")
  }

  @Test func `starts without index`() throws {
    let test = try TestRepository()
    let index = try Self.open(test)
    #expect(index.entryCount == 0)
    let submodule = IndexUpsert(
      path: try Self.path("m"),
      entry: TreeEntry(mode: .submodule, id: try ObjectDatabase.hash(.blob, [])),
      status: nil)
    try Self.update(index, removals: [], upserts: [Self.upsert(test, "a", "1\n"), submodule])
    #expect(try test.text(["ls-files"]) == "a\nm")
  }
}
