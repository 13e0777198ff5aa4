import Foundation
import Spool
import TestSupport
import Testing

@Suite struct SpoolTests {
  private let folder: TemporaryFolder
  private let directory: SpoolDirectory

  init() throws {
    folder = try TemporaryFolder()
    directory = try SpoolDirectory(folder.path + "/a/b/spool")
  }

  private func file(_ content: [UInt8], as name: String) throws -> SpoolFile {
    let file = try SpoolFile.temporary(in: directory.path)
    try file.append(content)
    try file.sync()
    try file.link(as: name, in: directory)
    try directory.sync()
    return file
  }

  @Test func `directory is made with those above it for its owner alone`() throws {
    #expect(try folder.mode(directory.path) == 0o700)
    #expect(try folder.mode(folder.path + "/a") == 0o700)
    #expect(try SpoolDirectory(directory.path).names() == [])
  }

  @Test func `directory below a file is an error`() throws {
    let file = try folder.file("x")
    let error = #expect(throws: SpoolError.self) { try SpoolDirectory(file + "/spool") }
    guard case .cannot(_, _, ENOTDIR) = error else { throw Unexpected(error) }
  }

  @Test func `what is appended is read back at any offset`() throws {
    let file = try file([1, 2, 3, 4], as: "one")
    try file.append([5, 6].span)
    #expect(file.size == 6)
    #expect(try file.read(at: 0, count: 6) == [1, 2, 3, 4, 5, 6])
    #expect(try file.read(at: 3, count: 2) == [4, 5])
    #expect(try file.read(at: 6, count: 0) == [])
    let again = try SpoolFile.open(directory.path(of: "one"))
    #expect(again.size == 6)
    #expect(try again.read(at: 4, count: 2) == [5, 6])
  }

  @Test func `file is for its owner alone`() throws {
    _ = try file([1], as: "one")
    #expect(try folder.mode(directory.path(of: "one")) == 0o600)
  }

  @Test func `temporary file has no name and leaves nothing`() throws {
    do {
      let file = try SpoolFile.temporary(in: directory.path)
      try file.append([1, 2, 3])
      #expect(try file.read(at: 1, count: 2) == [2, 3])
      #expect(try directory.names() == [])
    }
    #expect(try directory.names() == [])
  }

  @Test func `name that is taken is not replaced`() throws {
    _ = try file([1], as: "one")
    let second = try SpoolFile.temporary(in: directory.path)
    try second.append([2])
    let error = #expect(throws: SpoolError.self) { try second.link(as: "one", in: directory) }
    guard case .cannot(_, _, EEXIST) = error else { throw Unexpected(error) }
    #expect(try SpoolFile.open(directory.path(of: "one")).read(at: 0, count: 1) == [1])
  }

  @Test func `link that points elsewhere is not followed`() throws {
    let outside = try folder.file("outside")
    try FileManager.default.createSymbolicLink(
      atPath: directory.path(of: "link"), withDestinationPath: outside)
    let error = #expect(throws: SpoolError.self) {
      _ = try SpoolFile.open(directory.path(of: "link"))
    }
    guard case .cannot(_, _, ELOOP) = error else { throw Unexpected(error) }
    let file = try SpoolFile.temporary(in: directory.path)
    #expect(throws: SpoolError.self) { try file.link(as: "link", in: directory) }
    #expect(try folder.content(outside) == "outside")
  }

  @Test func `truncated file is an error that says where`() throws {
    _ = try file(Array(repeating: 7, count: 100), as: "one")
    let path = directory.path(of: "one")
    let reader = try SpoolFile.open(path)
    try #require(unsafe truncate(path, 60) == 0)
    #expect(try reader.read(at: 0, count: 60).count == 60)
    #expect(throws: SpoolError.endsEarly(path: path, offset: 60)) {
      try reader.read(at: 50, count: 20)
    }
    #expect(throws: SpoolError.endsEarly(path: path, offset: 80)) {
      try reader.read(at: 80, count: 1)
    }
  }

  @Test func `starting over leaves nothing of the first time`() throws {
    let file = try SpoolFile.temporary(in: directory.path)
    try file.append([1, 2, 3, 4])
    try file.truncate(to: 1)
    try file.append([9])
    #expect(file.size == 2)
    #expect(try file.read(at: 0, count: 2) == [1, 9])
    #expect(throws: SpoolError.self) { try file.read(at: 2, count: 1) }
  }

  @Test func `file that is opened again goes on where it is cut`() throws {
    _ = try file([1, 2, 3, 4], as: "one")
    let again = try #require(try SpoolFile.reopen(directory.path(of: "one")))
    #expect(again.size == 4)
    try again.truncate(to: 2)
    try again.append([9])
    #expect(try again.read(at: 0, count: 3) == [1, 2, 9])
    // It may get its last name, and lose the first one.
    try again.link(as: "two", in: directory)
    try directory.remove("one")
    #expect(try SpoolFile.open(directory.path(of: "two")).size == 3)
    let gone = try SpoolFile.reopen(directory.path(of: "one"))
    #expect(gone === nil)
  }

  @Test func `lock is one partys until it lets go`() throws {
    var first: SpoolFile? = try file([1], as: "one")
    #expect(try first?.lock() == true)
    #expect(try first?.lock() == true)
    let second = try #require(try SpoolFile.reopen(directory.path(of: "one")))
    #expect(try !second.lock())
    first = nil
    #expect(try second.lock())
  }

  @Test func `removing is repeatable`() throws {
    _ = try file([1], as: "one")
    _ = try file([1], as: "two")
    #expect(try directory.names() == ["one", "two"])
    try directory.remove("one")
    try directory.remove("one")
    #expect(try directory.names() == ["two"])
  }

  @Test func `file that is not there is an error`() throws {
    let path = directory.path(of: "none")
    #expect(throws: SpoolError.cannot(operation: "open", path: path, code: ENOENT)) {
      _ = try SpoolFile.open(path)
    }
  }

  @Test(.enabled(if: SmallDisk.isAllowed, "mounting needs the right to"))
  func `full disk is told apart and room makes it go on`() throws {
    let disk = folder.path + "/disk"
    try SmallDisk.mount(on: disk, byteCount: 1 << 20, home: folder.path) {
      let spool = try SpoolDirectory(disk + "/spool")
      let piece = [UInt8](repeating: 1, count: 65_536)
      do {
        let filler = try SpoolFile.temporary(in: spool.path)
        let error = #expect(throws: SpoolError.self) {
          for _ in 0..<32 { try filler.append(piece) }
        }
        #expect(error?.isFullDisk == true)
        #expect(filler.size <= 1 << 20)
      }
      let next = try SpoolFile.temporary(in: spool.path)
      try next.append(piece)
      #expect(try next.read(at: 0, count: piece.count) == piece)
    }
  }

  @Test func `other failures are no full disk`() {
    #expect(!SpoolError.cannot(operation: "open", path: "x", code: ENOENT).isFullDisk)
    #expect(!SpoolError.endsEarly(path: "x", offset: 1).isFullDisk)
    #expect(SpoolError.cannot(operation: "write", path: "x", code: EDQUOT).isFullDisk)
  }

  private struct Unexpected: Error {
    let error: SpoolError?
    init(_ error: SpoolError?) { self.error = error }
  }
}
