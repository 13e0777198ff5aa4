import Applier
import Foundation
import GitModel
import Glibc
import TestSupport
import Testing

/// Modes, groups and access control lists: as `git pull` leaves them in a clone beside the checkout.
struct SharedCheckoutTests {
  private let pipeline: Pipeline
  /// What git makes of the same pushes.
  private let clone: PipelineRepository

  init() throws {
    pipeline = try Pipeline.started(files: ["a": "1\n", "public/a": "1\n", "run": "1\n"])
    clone = PipelineRepository(at: pipeline.folder.path("clone"), in: pipeline.folder)
    try pipeline.source.git("clone", "-q", "--no-local", pipeline.source.path, clone.path)
  }

  private func status(_ path: String) throws -> stat {
    var status = stat()
    try #require(unsafe lstat(path, &status) == 0, "\(path)")
    return status
  }

  /// Mode and group by name, of everything below both that `isIncluded`.
  private func expectSameModes(
    _ names: [String], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    for name in names {
      let (ours, theirs) = (
        try status(pipeline.checkout.path + "/" + name), try status(clone.path + "/" + name)
      )
      #expect(
        ours.st_mode == theirs.st_mode && ours.st_gid == theirs.st_gid,
        "\(name): \(String(ours.st_mode, radix: 8)), git's \(String(theirs.st_mode, radix: 8))",
        sourceLocation: sourceLocation)
    }
  }

  private func push() throws {
    try pipeline.source.write("run", "2\n")
    try FileManager.default.setAttributes(
      [.posixPermissions: 0o755], ofItemAtPath: pipeline.source.path + "/run")
    try pipeline.source.commit([
      "a": "2\n", "public/a": "2\n", "public/new": "2\n", "public/more/new": "2\n", "e/f/g": "2\n",
    ])
    #expect(try pipeline.push().map(\.refusal) == [nil])
    // As a pack, which is how it comes here.
    try clone.git("-c", "fetch.unpackLimit=1", "pull", "-q")
    try pipeline.expectEqual()
  }

  private static let tracked = [
    "a", "run", "public", "public/a", "public/new", "public/more", "public/more/new", "e", "e/f",
    "e/f/g",
  ]

  // MARK: - Access control lists

  private static let accessName = "system.posix_acl_access"
  private static let defaultName = "system.posix_acl_default"
  /// Owner and user 12345 may do anything, the group may read, others nothing; as the kernel keeps it.
  private static let list: [UInt8] = {
    func entry(_ tag: UInt8, _ permissions: UInt8, _ id: UInt32 = .max) -> [UInt8] {
      [tag, 0, permissions, 0] + (0..<4).map { UInt8(truncatingIfNeeded: id >> (8 * $0)) }
    }
    return [2, 0, 0, 0] + entry(0x01, 7) + entry(0x02, 7, 12_345) + entry(0x04, 5)
      + entry(0x10, 7) + entry(0x20, 0)
  }()

  private static func set(_ directory: String) -> Bool {
    unsafe setAttribute(directory, defaultName, list, list.count, 0) == 0
  }

  private static let hasLists: Bool = {
    do {
      let folder = try PipelineFolder()
      return set(folder.path)
    } catch {
      return false
    }
  }()

  private func lists(_ path: String) -> [[UInt8]] {
    [Self.accessName, Self.defaultName].map { name in
      var value = [UInt8](repeating: 0, count: 1_024)
      let count = unsafe attribute(path, name, &value, value.count)
      return Array(value.prefix(max(0, count)))
    }
  }

  @Test(.enabled(if: hasLists, "the file system has no access control lists"))
  func `a directory's default list is handed down as git hands it down`() throws {
    for repository in [pipeline.checkout, clone] {
      try #require(Self.set(repository.path + "/public"))
    }
    try push()
    try expectSameModes(Self.tracked)
    for name in Self.tracked {
      let ours = lists(pipeline.checkout.path + "/" + name)
      #expect(ours == lists(clone.path + "/" + name), "\(name)")
      if name == "public/new" || name == "public/more" { #expect(ours[0] != []) }
    }
  }

  // MARK: - core.sharedRepository

  @Test(arguments: ["group", "world", "0660", "umask"])
  func `what is made in git's directory is as shared as git makes it`(shared: String) throws {
    for repository in [pipeline.checkout, clone] {
      try repository.git("config", "core.sharedRepository", shared)
    }
    try push()
    try expectSameModes(Self.tracked)
    try expectSameModes(
      [
        "HEAD", "index", "logs", "logs/HEAD", "logs/refs", "logs/refs/heads",
        "logs/refs/heads/main", "objects", "objects/pack", "refs", "refs/heads", "refs/heads/main",
      ].map { ".git/" + $0 })
    for suffix in [".pack", ".idx"] {
      #expect(try newestPack(suffix, of: pipeline.checkout) == newestPack(suffix, of: clone))
    }
  }

  /// Of the last pack that came; the older ones are of a time before the repository was shared.
  private func newestPack(_ suffix: String, of repository: PipelineRepository) throws -> mode_t {
    let directory = repository.path + "/.git/objects/pack/"
    let packs = try FileManager.default.contentsOfDirectory(atPath: directory)
      .filter { $0.hasSuffix(suffix) }.map { try status(directory + $0) }
    let newest = packs.max {
      ($0.st_ctim.tv_sec, $0.st_ctim.tv_nsec) < ($1.st_ctim.tv_sec, $1.st_ctim.tv_nsec)
    }
    return try #require(newest).st_mode
  }

  /// A group's own checkout, in which new files are the group's.
  private static func share(_ repository: PipelineRepository) throws {
    try repository.git("config", "core.sharedRepository", "group")
    let paths = try [""] + FileManager.default.subpathsOfDirectory(atPath: repository.path)
    for path in paths.map({ repository.path + "/" + $0 }) {
      var status = stat()
      #expect(unsafe lstat(path, &status) == 0)
      guard status.st_mode & S_IFMT == S_IFDIR else { continue }
      #expect(unsafe chown(path, uid_t.max, 12_345) == 0)
      #expect(unsafe chmod(path, status.st_mode & 0o7777 | 0o2070) == 0)
    }
  }

  @Test(
    .enabled(if: geteuid() == 0, "only root gives files to any group"), arguments: [false, true])
  func `files of a group's checkout are the group's, also where the bit cannot be set`(
    isRestricted: Bool
  ) async throws {
    let folder = try PipelineFolder()
    var clone: PipelineRepository?
    do {
      let pipeline = try Pipeline(in: folder, makingSource: true)
      try pipeline.source.commit(["a": "1\n", "b/c": "1\n"])
      try pipeline.push()
      let made = PipelineRepository(at: folder.path("clone"), in: folder)
      try pipeline.source.git("clone", "-q", "--no-local", pipeline.source.path, made.path)
      clone = made
      for repository in [pipeline.checkout, made] { try Self.share(repository) }
      try pipeline.source.commit(["a": "2\n", "new/file": "2\n", "b/d": "2\n"])
      try pipeline.send()
      try pipeline.transfer()
    }
    await #expect(processExitsWith: .success) {
      [path = folder.path as String, isRestricted = isRestricted as Bool] in
      let pipeline = try Pipeline(in: PipelineFolder(existing: path))
      if isRestricted { try SetGroupIDFilter.install() }
      try pipeline.work()
      try #require(pipeline.worker.fault == nil)
    }
    let pipeline = try Pipeline(in: folder)
    #expect(try pipeline.receipts().map(\.refusal) == [nil])
    try pipeline.expectEqual()
    let theirs = try #require(clone)
    try theirs.git("-c", "fetch.unpackLimit=1", "pull", "-q")
    let names = [
      "a", "b", "b/c", "b/d", "new", "new/file", ".git/index", ".git/HEAD", ".git/objects/pack",
      ".git/refs/heads/main", ".git/logs/HEAD", ".git/logs/refs/heads/main",
    ]
    for name in names {
      let (our, their) = (
        try status(pipeline.checkout.path + "/" + name), try status(theirs.path + "/" + name)
      )
      #expect(our.st_gid == their.st_gid && our.st_mode == their.st_mode, "\(name)")
    }
  }
}

/// setxattr(2) and getxattr(2), which the Glibc module leaves out.
@_silgen_name("setxattr")
private func setAttribute(
  _ path: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>, _ value: UnsafeRawPointer,
  _ count: Int, _ flags: Int32
) -> Int32

@_silgen_name("getxattr")
private func attribute(
  _ path: UnsafePointer<CChar>, _ name: UnsafePointer<CChar>, _ value: UnsafeMutableRawPointer,
  _ count: Int
) -> Int
