import Foundation
import Git
import GitModel
import Testing

struct RepositoryTests {
  @Test func `opens working copy`() throws {
    let test = try TestRepository()
    let repository = try test.open()
    #expect(!repository.isBare)
    #expect(repository.workingDirectory == test.path + "/")
    #expect(repository.gitDirectory == test.path + "/.git/")
    #expect(repository.commonDirectory == test.path + "/.git/")
    #expect(try repository.headSymbolicTarget() == "refs/heads/main")
    #expect(try repository.headCommit() == nil)
  }

  @Test func `opens bare repository`() throws {
    let test = try TestRepository(["--bare"])
    let repository = try test.open()
    #expect(repository.isBare)
    #expect(repository.workingDirectory == nil)
  }

  @Test func `opens linked worktree`() throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    try test.git(["worktree", "add", "-q", test.directory + "/linked"])
    let repository = try Repository(opening: test.directory + "/linked")
    #expect(try repository.headCommit() == commit)
    #expect(repository.commonDirectory == test.path + "/.git/")
    #expect(repository.gitDirectory == test.path + "/.git/worktrees/linked/")
    #expect(repository.objects.contains(commit))
  }

  @Test func `refuses missing directory`() {
    #expect(throws: GitError.directoryMissing(path: "/nowhere/at/all")) {
      try Repository(opening: "/nowhere/at/all")
    }
  }

  @Test func `refuses directory inside repository`() throws {
    let test = try TestRepository()
    try test.write("inner/file", [])
    #expect(throws: GitError.notRepository(path: test.path + "/inner")) {
      try Repository(opening: test.path + "/inner")
    }
  }

  @Test func `refuses SHA256 repository`() throws {
    let test = try TestRepository(["--object-format=sha256"])
    #expect(throws: GitError.objectFormatUnsupported(path: test.path)) { try test.open() }
  }

  @Test(arguments: ["refStorage", "compatObjectFormat", "invented"])
  func `an unknown extension is refused by name`(name: String) throws {
    let test = try TestRepository()
    try test.git(["config", "core.repositoryFormatVersion", "1"])
    try test.git(["config", "extensions.\(name)", "x"])
    let error = #expect(throws: GitError.self) { try test.open() }
    guard case .extensionUnsupported(test.path, let reason) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    #expect(reason.contains(name.lowercased()))
  }

  @Test(arguments: [
    ("worktreeConfig", "true"), ("partialClone", "origin"), ("preciousObjects", "true"),
    ("objectFormat", "sha1"), ("noop", "1"),
  ])
  func `an extension that changes nothing here is accepted`(name: String, value: String) throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    try test.git(["config", "core.repositoryFormatVersion", "1"])
    try test.git(["config", "extensions.\(name)", value])
    let repository = try test.open()
    #expect(try repository.headCommit() == commit)
    #expect(try repository.isPartialClone() == (name == "partialClone"))
  }

  @Test func `objects of an alternate's alternate are found`() throws {
    let test = try TestRepository()
    let commit = try test.commit(["a": "1\n"])
    for (name, line) in [
      ("near", "../../../repository/.git/objects"),
      ("far", "# a comment\n\"../../../n\\145ar/.git/objects\""),
    ] {
      let place = test.directory + "/" + name
      try test.git(["init", "-q", place])
      try Data((line + "\n").utf8).write(
        to: URL(fileURLWithPath: place + "/.git/objects/info/alternates"))
    }
    let far = test.directory + "/far"
    #expect(try test.run(["cat-file", "-e", commit.hex], in: far).status == 0)
    let repository = try Repository(opening: far)
    #expect(try repository.objects.commit(commit).id == commit)
    let receiver = try PackReceiver(for: repository)
    var stream = PackStream([ObjectReference(id: commit, kind: .commit)], from: repository.objects)
    while let piece = try stream.next() { try receiver.append(piece) }
    #expect(try receiver.finish().objects.tree(test.id("HEAD^{tree}")).items.count == 1)
  }

  @Test(.enabled(if: getuid() == 0, "only root can give a directory away"))
  func `refuses repository of another user`() throws {
    let test = try TestRepository()
    for name in [test.path, test.path + "/.git"] {
      try FileManager.default.setAttributes([.ownerAccountID: 12_345], ofItemAtPath: name)
    }
    #expect(throws: GitError.ownedByAnotherUser(path: test.path)) { try test.open() }
  }

  @Test(arguments: [false, true])
  func `creates what git accepts`(isBare: Bool) throws {
    let test = try TestRepository()
    let path = test.directory + "/deeper/new"
    let created = try Repository.create(at: path, branch: "refs/heads/trunk", isBare: isBare)
    #expect(created.isBare == isBare)
    #expect(try created.headSymbolicTarget() == "refs/heads/trunk")
    try test.git(["fsck", "--strict"], in: path)
    #expect(throws: GitError.alreadyExists(path: path)) {
      try Repository.create(at: path, branch: "refs/heads/trunk", isBare: isBare)
    }
  }

  @Test func `refuses to create branch with bad name`() throws {
    let test = try TestRepository()
    #expect(throws: GitError.referenceNameInvalid("refs/heads/a..b")) {
      try Repository.create(at: test.directory + "/new", branch: "refs/heads/a..b")
    }
    #expect(!FileManager.default.fileExists(atPath: test.directory + "/new"))
  }

  @Test func `tells configured URL without rewriting`() throws {
    let test = try TestRepository()
    try test.git(["config", "url.https://mirror/.insteadOf", "git@host:"])
    let repository = try test.open()
    #expect(try repository.remoteURL("origin") == nil)
    try repository.setRemote("origin", url: "git@host:a/b.git")
    #expect(try repository.remoteURL("origin") == "git@host:a/b.git")
    #expect(try test.text(["config", "remote.origin.url"]) == "git@host:a/b.git")
    try repository.setRemote("origin", url: "ssh://host/c")
    #expect(try test.text(["config", "--get-all", "remote.origin.url"]) == "ssh://host/c")
  }
}
