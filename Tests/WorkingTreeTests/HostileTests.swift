import GitModel
import Glibc
import Testing
import WorkingTree

/// Someone who can write in the tree has prepared it; what lies outside must stay as it is.
@Suite struct HostileTests {
  /// What is prepared in a tree with `directory/file` and `file`, and the change that meets it.
  struct SetUp: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let prepare: @Sendable (Sandbox) throws -> Void
    let change: @Sendable () -> Change
    /// What the tree then holds, besides directories.
    let expected: Set<Bytes>
  }

  static let setUps: [SetUp] = [
    SetUp(
      testDescription: "a directory replaced by a link to outside, its file rewritten",
      prepare: { sandbox in try replaceDirectoryByLink(sandbox) },
      change: { Change(writes: ["directory/file": (.regular, "new")]) },
      expected: ["directory/file", "file"]),
    SetUp(
      testDescription: "a directory replaced by a link to outside, its file removed",
      prepare: { sandbox in try replaceDirectoryByLink(sandbox) },
      change: { Change(removals: ["directory/file"]) },
      expected: ["directory", "file"]),
    SetUp(
      testDescription: "a directory replaced by a link to outside, a file added deep in it",
      prepare: { sandbox in try replaceDirectoryByLink(sandbox) },
      change: { Change(writes: ["directory/new/file": (.regular, "new")]) },
      expected: ["directory/new/file", "file"]),
    SetUp(
      testDescription: "a new directory's name is a link to outside",
      prepare: { sandbox in
        try Disk.makeLink(sandbox.at("added"), to: sandbox.outside + "/directory")
      },
      change: { Change(writes: ["added/file": (.regular, "new")]) },
      expected: ["added/file", "directory/file", "file"]),
    SetUp(
      testDescription: "a new directory's name is a dangling link",
      prepare: { sandbox in try Disk.makeLink(sandbox.at("added"), to: sandbox.outside + "/no") },
      change: { Change(writes: ["added/a/b": (.regular, "new")]) },
      expected: ["added/a/b", "directory/file", "file"]),
    SetUp(
      testDescription: "a file replaced by a link to outside",
      prepare: { sandbox in
        try Disk.remove(sandbox.at("file"))
        try Disk.makeLink(sandbox.at("file"), to: sandbox.outside + "/secret")
      },
      change: { Change(writes: ["file": (.regular, "new")]) },
      expected: ["directory/file", "file"]),
    SetUp(
      testDescription: "a file replaced by a link to outside, then removed",
      prepare: { sandbox in
        try Disk.remove(sandbox.at("file"))
        try Disk.makeLink(sandbox.at("file"), to: sandbox.outside + "/secret")
      },
      change: { Change(removals: ["file"]) },
      expected: ["directory/file"]),
    SetUp(
      testDescription: "a file that has another name outside",
      prepare: { sandbox in
        try Disk.remove(sandbox.at("file"))
        try Disk.makeHardLink(sandbox.at("file"), to: sandbox.outside + "/secret")
      },
      change: { Change(writes: ["file": (.executable, "new")]) },
      expected: ["directory/file", "file"]),
    SetUp(
      testDescription: "a FIFO in place of the file",
      prepare: { sandbox in
        try Disk.remove(sandbox.at("file"))
        try Disk.makeFIFO(sandbox.at("file"))
      },
      change: { Change(writes: ["file": (.regular, "new")]) },
      expected: ["directory/file", "file"]),
    SetUp(
      testDescription: "an empty directory in place of the file",
      prepare: { sandbox in
        try Disk.remove(sandbox.at("file"))
        try Disk.makeDirectory(sandbox.at("file/a/b"))
      },
      change: { Change(writes: ["file": (.symbolicLink, "directory")]) },
      expected: ["directory/file", "file"]),
    SetUp(
      testDescription: "a submodule's directory is a link to outside",
      prepare: { sandbox in
        try Disk.makeLink(sandbox.at("module"), to: sandbox.outside + "/directory")
      },
      change: { Change(submodules: ["module"]) },
      expected: ["directory/file", "file"]),
  ]

  static func replaceDirectoryByLink(_ sandbox: Sandbox) throws {
    try Disk.remove(sandbox.at("directory"))
    try Disk.makeLink(sandbox.at("directory"), to: "../outside/directory")
  }

  @Test(arguments: setUps) func `changes nothing outside`(setUp: SetUp) throws {
    let sandbox = try Sandbox()
    try sandbox.write("directory/file")
    try sandbox.write("file")
    try setUp.prepare(sandbox)
    let outside = try sandbox.outsideSnapshot()
    let change = setUp.change()
    try sandbox.commit(change)
    #expect(try sandbox.outsideSnapshot() == outside)
    let leaves = try sandbox.snapshot().filter { !$0.value.hasPrefix("directory") }
    #expect(Set(leaves.keys) == setUp.expected)
    for (path, (_, content)) in change.writes {
      #expect(leaves[path]?.hasSuffix(" \(content)") ?? false)
    }
  }
}
