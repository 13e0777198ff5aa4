import DirectoryCarrier
import Foundation
import MessageFormat
import SharedFiles
import TestSupport
import Testing

/// Directories of two machines, and a stick that is carried between them.
struct CarryingTests {
  private let folder: TemporaryFolder
  private let world: DirectoryWorld
  private let (here, stick, there): (String, String, String)
  private let now = Int(Date().timeIntervalSince1970)

  init() throws {
    folder = try TemporaryFolder()
    world = try DirectoryWorld(in: folder.path)
    (here, stick, there) = (folder.path + "/a", world.stick, folder.path + "/b")
    try DirectoryWorld.make(here)
    try DirectoryWorld.make(there)
  }

  @discardableResult
  private func carry(
    _ source: String, _ target: String, _ gate: @escaping FolderStep.Gate = { _ in }
  ) throws -> CarryReport {
    try Carrying(from: source, to: target, gate: gate).run(at: now)
  }

  private func bothWays(_ one: String, _ other: String) throws {
    try carry(one, other)
    try carry(other, one)
  }

  @Test func `messages go, receipts and acknowledgements come back, and nothing is left`() throws {
    let letters = [world.letter(1), world.letter(2, 3 << 20)]
    for letter in letters { try world.alice.put(letter, for: world.bob) }
    try world.send(by: here)
    let report = try carry(here, stick)
    #expect(report.messageCount == 2)
    #expect(try carry(here, stick).messageCount == 0)
    try bothWays(stick, there)
    try world.collect(from: there)
    for letter in letters { #expect(try world.bob.has(letter)) }
    let receipt = Letter(9, for: [world.alice.mailbox])
    try world.bob.put(receipt, for: world.alice)
    try world.collect(from: there)
    // Not acknowledged here yet: nothing of it goes.
    #expect(try DirectoryWorld.files(below: here).count { $0.hasSuffix(".msg") } == 2)
    try bothWays(stick, there)
    #expect(try DirectoryWorld.files(below: stick).count { $0.hasSuffix(".msg") } == 1)
    try bothWays(stick, here)
    try world.send(by: here)
    #expect(try world.alice.has(receipt))
    #expect(try DirectoryWorld.files(below: here).allSatisfy { $0.hasSuffix("/acks") })
    try bothWays(stick, here)
    try bothWays(stick, there)
    try world.expectNothingLeft(in: [here, there])
    #expect(try DirectoryWorld.files(below: stick).allSatisfy { $0.hasSuffix("/acks") })
    #expect(world.bob.current.accepted.count == 2)
  }

  @Test func `a stick that is pulled out while it is written goes on where it was`() throws {
    let letters = [world.letter(1), world.letter(2, 2 << 20)]
    for letter in letters { try world.alice.put(letter, for: world.bob) }
    try world.send(by: here)
    var (step, isOver) = (0, false)
    while !isOver {
      let path = folder.path + "/stick-\(step)"
      try DirectoryWorld.make(path)
      let pulled = Stick()
      pulled.pullOut(at: step)
      do {
        try carry(here, path, pulled.gate)
        isOver = true
      } catch is FolderError {}
      try carry(here, path)
      let files = try DirectoryWorld.files(below: path)
      #expect(files.count { $0.hasSuffix(".msg") } == 2, "step \(step)")
      let bob = try DirectoryUser("bob", in: path)
      try bob.look(at: path, with: [world.alice])
      for letter in letters { #expect(try bob.has(letter), "step \(step)") }
      step += 1
    }
    #expect(step > 20)
  }

  @Test func `what is copied whole is not copied again`() throws {
    try world.alice.put(world.letter(1, 4 << 20), for: world.bob)
    try world.send(by: here)
    let whole = Stick()
    let rehearsal = folder.path + "/rehearsal"
    try DirectoryWorld.make(rehearsal)
    try carry(here, rehearsal, whole.gate)
    let pulled = Stick()
    pulled.pullOut(at: whole.steps.count / 2)
    #expect(throws: FolderError.self) { try carry(here, stick, pulled.gate) }
    let rest = Stick()
    #expect(try carry(here, stick, rest.gate).messageCount == 1)
    #expect(rest.steps.count < whole.steps.count * 3 / 4)
  }

  @Test func `a damaged message stays where it is, and the others are copied`() throws {
    for number in 1...3 { try world.alice.put(world.letter(UInt32(number)), for: world.bob) }
    try world.send(by: here)
    let data = world.messages(in: here) + "/" + world.letter(2).id.hex.prefix(32) + ".00000"
    var bytes = try Data(contentsOf: URL(fileURLWithPath: data))
    bytes[bytes.count - 1] ^= 1
    try bytes.write(to: URL(fileURLWithPath: data))
    let report = try carry(here, stick)
    #expect(report.messageCount == 2)
    #expect(report.faultCount == 1)
    try world.collect()
    #expect(Set(world.bob.current.accepted) == [world.letter(1).id, world.letter(3).id])
    let left = try DirectoryWorld.files(below: stick).filter { !$0.hasSuffix("/acks") }
    #expect(left == [])
  }

  @Test func `what a newer message has replaced is not carried back`() throws {
    let slot = Slot(repeating: 5)
    try world.alice.put(world.letter(1, slot: slot), for: world.bob)
    try world.send(by: here)
    try bothWays(here, stick)
    try world.alice.put(world.letter(2, slot: slot), for: world.bob)
    try world.send(by: here)
    #expect(try carry(stick, here).messageCount == 0)
    let report = try carry(here, stick)
    #expect(report.messageCount == 1)
    #expect(report.removedCount == 1)
    try world.collect()
    #expect(world.bob.current.accepted == [world.letter(2, slot: slot).id])
  }

  /// As rsync does without --delete, in any order, again and again.
  @Test func `a directory that is copied by other programs converges`() throws {
    func copy(_ source: String, _ target: String) throws {
      try Program.run(["cp", "-a", source + "/.", target], home: folder.path)
    }
    let letters = (1...3).map { world.letter(UInt32($0), $0 * 600_000) }
    for letter in letters {
      try world.alice.put(letter, for: world.bob)
      try world.send(by: here)
      try copy(here, there)
      try world.collect(from: there)
      try copy(here, there)
    }
    for letter in letters { #expect(try world.bob.has(letter)) }
    try copy(there, here)
    try world.send(by: here)
    try copy(here, there)
    try world.expectNothingLeft(in: [here, there])
  }

  @Test func `links of a source are not followed`() throws {
    try world.alice.put(world.letter(1), for: world.bob)
    try world.send(by: here)
    let data = world.messages(in: here) + "/" + world.letter(1).id.hex.prefix(32) + ".00000"
    try FileManager.default.moveItem(atPath: data, toPath: folder.path + "/elsewhere")
    try FileManager.default.createSymbolicLink(
      atPath: data, withDestinationPath: folder.path + "/elsewhere")
    #expect(try carry(here, stick).faultCount == 1)
    #expect(try !DirectoryWorld.files(below: stick).contains { $0.hasSuffix(".msg") })
  }

  @Test(.enabled(if: SmallDisk.isAllowed))
  func `what does not fit stays where it is, and smaller messages are copied`() throws {
    let (large, small) = (world.letter(1, 5 << 20), world.letter(2, 300_000))
    for letter in [large, small] { try world.alice.put(letter, for: world.bob) }
    try world.send(by: here)
    let disk = folder.path + "/small"
    try SmallDisk.mount(on: disk, byteCount: 3 << 20, home: folder.path) {
      try DirectoryWorld.make(disk)
      let error = #expect(throws: FolderError.self) { try carry(here, disk) }
      #expect(error?.isFullDisk == true)
      try world.collect(from: disk)
      #expect(world.bob.current.accepted == [small.id])
    }
    try world.collect(from: here)
    #expect(try world.bob.has(large))
  }

  @Test func `a directory that is not prepared is not carried to`() throws {
    let empty = folder.path + "/empty"
    try FileManager.default.createDirectory(atPath: empty, withIntermediateDirectories: false)
    #expect(throws: DirectoryError.notPrepared(path: empty)) { try carry(here, empty) }
    #expect(try FileManager.default.contentsOfDirectory(atPath: empty) == [])
  }
}
