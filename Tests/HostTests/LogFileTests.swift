import Foundation
import Host
import TestSupport
import Testing

struct LogFileTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path + "/log" }

  init() throws { folder = try TemporaryFolder() }

  private func text(_ path: String) throws -> String {
    try String(contentsOfFile: path, encoding: .utf8)
  }

  @Test func `grows at its end`() throws {
    for line in ["first\n", "second\n"] { try LogFile(path).append(Array(line.utf8)) }
    #expect(try text(path) == "first\nsecond\n")
  }

  @Test func `next line begins a new file where the old one was moved away`() throws {
    let log = try LogFile(path)
    try log.append(Array("old\n".utf8))
    try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
    try log.append(Array("new\n".utf8))
    #expect(try text(path) == "new\n" && text(path + ".1") == "old\n")
    try FileManager.default.removeItem(atPath: path)
    try log.append(Array("newer\n".utf8))
    #expect(try text(path) == "newer\n")
  }

  @Test func `line goes to the old file while no new one can be made`() throws {
    let log = try LogFile(path)
    try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    try log.append(Array("kept\n".utf8))
    #expect(try text(path + ".1") == "kept\n")
    #expect(throws: HostError.self) { try LogFile(path) }
  }

  @Test func `fault of a file is one line`() throws {
    let missing = folder.path + "/none/file"
    do {
      try Data().write(to: URL(fileURLWithPath: missing))
      Issue.record("nothing can be written there")
    } catch let error as CocoaError {
      #expect(error.fault == "\(missing): No such file or directory")
    }
  }
}
