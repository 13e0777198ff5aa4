import Foundation
import Git
package import GitModel
import Host

extension Mirror {
  /// Packs beyond these are put together; each fetch leaves one.
  private static let packCountMax = 20
  /// Beyond twice what it took after the last look at what is still needed, and this, another look is taken.
  private static let growthByteCountMin = 64 << 20
  private static let keptPrefix = "refs/distro/kept/"

  /// Where the mirror's size after the last collection stands.
  private var sizeFile: String { path + "/distro-size" }

  /// Keeps the mirror from growing without an end: small packs are put together, and once it has doubled, objects are
  /// removed that no branch leads to, except those that `kept` revisions lead to. Costs a look at a directory where there
  /// is nothing to do. Returns what was done.
  @discardableResult
  package func upkeep(keeping kept: () throws -> Set<ObjectID>) throws -> Upkeep {
    guard isThere else { return .nothing }
    return try workingAny {
      try removeLeftovers()
      let packs = try packs()
      let size = packs.reduce(0) { $0 + $1.byteCount }
      if size > 2 * lastSize() + Self.growthByteCountMin {
        try keep(try kept())
        // Those of a fetch that has just ended are younger.
        try program(in: path).run(
          ["gc", "--quiet", "--prune=1.hour.ago"], for: .transfer)
        let size = try self.packs().reduce(0) { $0 + $1.byteCount }
        try Data("\(size)\n".utf8).write(to: URL(fileURLWithPath: sizeFile), options: .atomic)
        return .collected
      }
      guard packs.count > Self.packCountMax else { return .nothing }
      try program(in: path).run(
        ["repack", "--quiet", "-d", "--geometric=2"], for: .transfer)
      return .repacked
    }
  }

  package enum Upkeep: Sendable, Equatable { case nothing, repacked, collected }

  /// Revisions that are still needed, though no branch may lead to them any more, get names of ours.
  private func keep(_ revisions: Set<ObjectID>) throws {
    let objects = try Repository(opening: path).objects
    let wanted = Set(
      revisions.filter { objects.contains($0) }.map { Self.keptPrefix + $0.hex })
    let list = try program(in: path).run(
      ["for-each-ref", "--format=%(refname)", Self.keptPrefix], for: .question)
    let present = Set(list.split(separator: "\n").map(String.init))
    let lines =
      wanted.subtracting(present).map { "create \($0) \($0.dropFirst(Self.keptPrefix.count))\n" }
      + present.subtracting(wanted).map { "delete \($0)\n" }
    guard !lines.isEmpty else { return }
    try program(in: path).run(["update-ref", "--stdin"], for: .question, input: lines.joined())
  }

  private func lastSize() -> Int {
    guard let data = FileManager.default.contents(atPath: sizeFile) else { return 0 }
    return Int(String(decoding: data, as: UTF8.self).split(separator: "\n").first ?? "") ?? 0
  }

  private func packs() throws -> [(name: String, byteCount: Int)] {
    let directory = path + "/objects/pack"
    return try FileManager.default.contentsOfDirectory(atPath: directory)
      .filter { $0.hasSuffix(".pack") }
      .map { name in
        let attributes = try FileManager.default.attributesOfItem(atPath: directory + "/" + name)
        return (name, (attributes[.size] as? Int) ?? 0)
      }
  }

  private func workingAny<Value>(_ body: () throws -> Value) throws -> Value {
    var result: Result<Value, any Error>?
    try working { () throws(UpstreamError) in result = Result { try body() } }
    guard let result else { preconditionFailure("the body has run") }
    return try result.get()
  }

  /// Files that a killed git was writing, and locks that it held: nobody else works here.
  func removeLeftovers() throws(UpstreamError) {
    do {
      let files = FileManager.default
      let objects = path + "/objects"
      for name in try files.contentsOfDirectory(atPath: objects)
      where name.hasPrefix("tmp_") || name.hasPrefix("incoming-") {
        try files.removeItem(atPath: objects + "/" + name)
      }
      let packs = objects + "/pack"
      for name in try files.contentsOfDirectory(atPath: packs)
      where name.hasPrefix("tmp_") || name.hasPrefix(".tmp-") {
        try files.removeItem(atPath: packs + "/" + name)
      }
      for name in ["packed-refs.lock", "config.lock", "shallow.lock", "HEAD.lock", "gc.pid.lock"]
      where files.fileExists(atPath: path + "/" + name) {
        try files.removeItem(atPath: path + "/" + name)
      }
      for name in try files.subpathsOfDirectory(atPath: path + "/refs")
      where name.hasSuffix(".lock") {
        try files.removeItem(atPath: path + "/refs/" + name)
      }
    } catch let error as CocoaError {
      throw .mirrorUnusable(mirror: path, detail: error.fault)
    } catch {
      throw .mirrorUnusable(mirror: path, detail: "\(error)")
    }
  }
}
