import Foundation
import TestSupport

/// A network of its own with one line to this machine's, which can lose everything that goes over it.
final class Namespace {
  /// Nobody's: what is sent there is lost without a word.
  private static let nowhere = "02:00:00:00:00:99"

  let name = "distro-\(getpid())"
  /// This end's address, and the other's.
  let near: String
  let far: String
  private let folder: PipelineFolder
  private var device: String { "dx\(getpid())" }

  static let isPermitted: Bool = {
    guard geteuid() == 0 else { return false }
    do {
      _ = try Namespace(in: PipelineFolder())
      return true
    } catch {
      return false
    }
  }()

  init(in folder: PipelineFolder) throws {
    self.folder = folder
    let network = "10.213.\(getpid() % 250)"
    (near, far) = ("\(network).1", "\(network).2")
    try ip("netns", "add", name)
    try ip("link", "add", device, "type", "veth", "peer", "name", "eth0", "netns", name)
    try ip("addr", "add", "\(near)/30", "dev", device)
    try ip("link", "set", device, "up")
    try ip("-n", name, "addr", "add", "\(far)/30", "dev", "eth0")
    try ip("-n", name, "link", "set", "eth0", "up")
    try ip("-n", name, "link", "set", "lo", "up")
  }

  /// The device goes with the namespace, and that with its last process.
  deinit {
    for arguments in [["link", "del", device], ["netns", "del", name]] {
      do {
        _ = try Program.status(["ip"] + arguments, home: folder.path)
      } catch {
        FileHandle.standardError.write(Data("left behind: \(arguments): \(error)\n".utf8))
      }
    }
  }

  /// From now on both sides send into the void, and nobody is told.
  func lose() throws {
    try ip("neigh", "replace", far, "lladdr", Self.nowhere, "dev", device, "nud", "permanent")
    try ip(
      "-n", name, "neigh", "replace", near, "lladdr", Self.nowhere, "dev", "eth0", "nud",
      "permanent")
  }

  func restore() throws {
    try ip("neigh", "del", far, "dev", device)
    try ip("-n", name, "neigh", "del", near, "dev", "eth0")
  }

  /// `program`, as it runs over there.
  func program(_ program: PipelineProgram) -> PipelineProgram {
    PipelineProgram("/usr/sbin/ip", in: program.folder)
  }

  func arguments(_ program: PipelineProgram, _ arguments: [String]) -> [String] {
    ["netns", "exec", name, program.executable] + arguments
  }

  /// Of TCP, on that port over there.
  func connectionCount(port: Int) throws -> Int {
    let output = try Program.run(
      ["ip", "netns", "exec", name, "cat", "/proc/net/tcp", "/proc/net/tcp6"], home: folder.path)
    let suffix = ":" + String(format: "%04X", port)
    // proc_net_tcp(5): the local address is the second word, the state the fourth; 01 is ESTABLISHED.
    return String(decoding: output, as: UTF8.self).split(separator: "\n").count { line in
      let words = line.split(separator: " ")
      return words.count > 3 && words[1].hasSuffix(suffix) && words[3] == "01"
    }
  }

  private func ip(_ arguments: String...) throws {
    try Program.run(["ip"] + arguments, home: folder.path)
  }
}
