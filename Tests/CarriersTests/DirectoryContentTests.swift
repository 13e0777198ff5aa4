import DirectoryCarrier
import Foundation
import Glibc
import MessageFormat
import SharedFiles
import TestSupport
import Testing

/// What lies in a directory, whoever put it there, and what becomes of it.
struct DirectoryContentTests {
  private let folder: TemporaryFolder
  private let world: DirectoryWorld
  private let files = FileManager.default

  init() throws {
    folder = try TemporaryFolder()
    world = try DirectoryWorld(in: folder.path)
  }

  private func write(_ path: String, _ text: String) throws {
    try files.createDirectory(
      atPath: (path as NSString).deletingLastPathComponent, withIntermediateDirectories: true)
    try Data(text.utf8).write(to: URL(fileURLWithPath: path))
  }

  /// Of the only message: its manifest, and what it says.
  private func manifest() throws -> (path: String, text: String) {
    let names = try files.contentsOfDirectory(atPath: world.messages())
    let name = try #require(names.first { $0.hasSuffix(".msg") })
    let path = world.messages() + "/" + name
    return (path, try folder.content(path))
  }

  private func expectArrives(_ number: UInt32) throws {
    let letter = world.letter(number)
    try world.alice.put(letter, for: world.bob)
    try world.send()
    try world.collect()
    #expect(try world.bob.has(letter))
  }

  @Test func `what is acknowledged leaves the directory and the outbox`() throws {
    try world.alice.put(world.letter(1, 3 << 20), for: world.bob)
    try world.send()
    #expect(world.alice.current.delivered.count == 1)
    #expect(try DirectoryWorld.files(below: world.stick).count == 5)
    try world.collect()
    #expect(try DirectoryWorld.files(below: world.stick).allSatisfy { $0.hasSuffix("/acks") })
    try world.collect()
    #expect(world.bob.current.accepted.count == 1)
  }

  @Test func `the next message in a slot replaces the one before`() throws {
    let slot = Slot(repeating: 3)
    for number in 1...3 {
      try world.alice.put(world.letter(UInt32(number), slot: slot), for: world.bob)
      try world.send()
    }
    try world.alice.put(world.letter(4), for: world.bob)
    try world.send()
    try world.collect()
    let accepted = world.bob.current.accepted
    #expect(accepted == [world.letter(3, slot: slot).id, world.letter(4).id])
    try world.expectNothingLeft()
  }

  @Test func `names tell no more than half a fingerprint, and every file system takes them`() throws
  {
    try world.alice.put(world.letter(1), for: world.bob)
    try world.send()
    for path in try DirectoryWorld.files(below: world.stick) {
      for name in path.split(separator: "/") {
        #expect(name.utf8.count <= 40)
        #expect(name.wholeMatch(of: /mail|[0-9a-f]{32}(\.msg|\.[0-9]{5})?/) != nil, "\(name)")
      }
    }
  }

  /// Removed by its owner, as a person or a copying tool would see it: nothing is followed, nothing outside is touched.
  @Test func `links lead nowhere`() throws {
    try expectArrives(1)
    let outside = folder.path + "/outside"
    try write(outside + "/secret", "untouched")
    try world.alice.put(world.letter(2), for: world.bob)
    try world.send()
    let (path, text) = try manifest()
    let data = path.replacing(".msg", with: ".00000")
    // A message's file, a manifest, the acknowledgements.
    try files.moveItem(atPath: data, toPath: outside + "/data")
    try files.createSymbolicLink(atPath: data, withDestinationPath: outside + "/data")
    try write(outside + "/manifest", text)
    let other = world.messages() + "/" + String(repeating: "a", count: 32) + ".msg"
    try files.createSymbolicLink(atPath: other, withDestinationPath: outside + "/manifest")
    try world.collect()
    #expect(world.bob.current.accepted == [world.letter(1).id])
    let stranger = world.stick + "/mail/" + String(repeating: "b", count: 32)
    try files.createSymbolicLink(atPath: stranger, withDestinationPath: outside)
    try expectArrives(3)
    #expect(try folder.content(outside + "/secret") == "untouched")
    #expect(
      try files.contentsOfDirectory(atPath: outside).sorted() == ["data", "manifest", "secret"])
  }

  @Test func `a mailbox that is a link is closed, and the others go on`() throws {
    let outside = folder.path + "/outside"
    try files.createDirectory(atPath: outside, withIntermediateDirectories: false)
    let carol = try DirectoryUser("carol", in: folder.path)
    let short = String(world.bob.mailbox.hex.prefix(32))
    try files.createSymbolicLink(
      atPath: world.stick + "/mail/" + short, withDestinationPath: outside)
    let letter = Letter(5, for: [carol.mailbox])
    try world.alice.put(world.letter(1), for: world.bob)
    try world.alice.put(letter, for: carol)
    try world.alice.look(at: world.stick, with: [world.bob, carol])
    #expect(world.alice.current.refused.map(\.reason) == [.fault])
    #expect(world.alice.current.delivered == [letter.id])
    #expect(try files.contentsOfDirectory(atPath: outside).isEmpty)
  }

  enum Damage: String, CaseIterable {
    case longManifest, emptyManifest, otherNumbers, otherMailbox, otherDepositor, binary
    case shortFile, longFile, missingFile, changedFile, otherMessage, pipe, folder
  }

  private func damage(_ damage: Damage) throws {
    let (path, text) = try manifest()
    let data = path.replacing(".msg", with: ".00000")
    let bytes = try Data(contentsOf: URL(fileURLWithPath: data))
    switch damage {
    case .longManifest: try write(path, text + String(repeating: "x", count: 1 << 20))
    case .emptyManifest: try write(path, "")
    case .otherNumbers: try write(path, text.replacing("chunks 3", with: "chunks 524288"))
    case .otherMailbox:
      try write(path, text.replacing(world.bob.mailbox.hex, with: Mailbox(repeating: 1).hex))
    case .otherDepositor:
      try write(path, text.replacing(world.alice.mailbox.hex, with: Mailbox(repeating: 1).hex))
    case .binary: try Data((0..<900).map { _ in 0xff }).write(to: URL(fileURLWithPath: path))
    case .shortFile: try bytes.dropLast(9).write(to: URL(fileURLWithPath: data))
    case .longFile: try (bytes + bytes).write(to: URL(fileURLWithPath: data))
    case .missingFile: try files.removeItem(atPath: data)
    case .changedFile:
      var changed = bytes
      changed[changed.count - 5] ^= 1
      try changed.write(to: URL(fileURLWithPath: data))
    case .otherMessage:
      let id = MessageID(repeating: 9)
      try write(
        world.messages() + "/" + id.hex.prefix(32) + ".msg",
        text.replacing(world.letter(2).id.hex, with: id.hex))
      try files.moveItem(
        atPath: data, toPath: world.messages() + "/" + id.hex.prefix(32) + ".00000")
      try files.removeItem(atPath: path)
    case .pipe, .folder:
      try files.removeItem(atPath: data)
      if damage == .pipe {
        let isMade = unsafe mkfifo(data, 0o600) == 0
        #expect(isMade)
      } else {
        try files.createDirectory(atPath: data, withIntermediateDirectories: false)
      }
    }
  }

  @Test(arguments: Damage.allCases)
  func `a message that is not what it says is left alone, and others arrive`(
    kind: Damage
  ) throws {
    try world.alice.put(world.letter(2), for: world.bob)
    try world.send()
    try damage(kind)
    try world.collect()
    #expect(world.bob.current.accepted == [])
    #expect(try world.bob.store.state.spool.names() == [])
    try expectArrives(3)
    #expect(world.bob.current.accepted == [world.letter(3).id])
  }

  @Test func `a copy that is under way is collected when it is whole`() throws {
    let letter = world.letter(1, 2 << 20)
    try world.alice.put(letter, for: world.bob)
    try world.send()
    let (path, _) = try manifest()
    let late = path.replacing(".msg", with: ".00001")
    try files.moveItem(atPath: late, toPath: folder.path + "/late")
    let run = world.bob.run(world.stick, with: [world.alice])
    try run.look()
    #expect(world.bob.current.accepted == [])
    try files.moveItem(atPath: folder.path + "/late", toPath: late)
    // After the pause that a damaged message has.
    try run.look(at: .now + .seconds(10))
    #expect(try world.bob.has(letter))
  }

  /// The reader's clock is wrong, and it begins while the message is being written.
  @Test func `what is being written is no remains, whatever a reader's clock says`() throws {
    try world.alice.put(world.letter(1, 2 << 20), for: world.bob)
    let stick = Stick()
    stick.pullOut(at: 20)
    #expect(throws: FolderError.self) { try world.send(stick.gate) }
    let before = try DirectoryWorld.files(below: world.stick)
    try #require(
      before.contains { $0.hasSuffix(".tmp") } && before.contains { $0.hasSuffix(".00000") })
    try world.bob.look(
      at: world.stick, with: [world.alice], now: { Timestamp(milliseconds: 2_000) })
    #expect(try DirectoryWorld.files(below: world.stick) == before)
  }

  @Test func `files of strangers are neither read nor removed`() throws {
    let names = (0..<3_000).map { "stranger \($0)" } + ["a:b", "acks-x.tmp", "x.msg", ".hidden"]
    for name in names { try write(world.messages() + "/" + name, "x") }
    try write(world.stick + "/mail/" + String(repeating: "c", count: 32) + "/file", "x")
    try expectArrives(1)
    let remains = RemainsAge(temporary: -1, unfinished: -1)
    try world.bob.run(world.stick, with: [world.alice], remains: remains).look()
    try world.alice.run(world.stick, with: [world.bob], remains: remains).look()
    let left = try files.contentsOfDirectory(atPath: world.messages())
    #expect(Set(left) == Set(names).subtracting(["acks-x.tmp"]))
  }

  /// Somebody without a place in the configuration.
  @Test func `messages of an unknown depositor are left`() throws {
    let carol = try DirectoryUser("carol", in: folder.path)
    try carol.put(world.letter(1), for: world.bob)
    try carol.look(at: world.stick, with: [world.bob])
    try world.collect()
    #expect(world.bob.current.accepted == [])
    try expectArrives(2)
  }

  @Test func `a mailbox that is full of ours takes no more until some are acknowledged`() throws {
    try world.alice.put(world.letter(1), for: world.bob)
    try world.send()
    let (path, text) = try manifest()
    for number in 1..<DirectoryLayout.waitingCountMax {
      let id = MessageID(number: UInt32(number))
      let reversed = MessageID(id.bytes.reversed())
      let name = try #require(reversed).hex
      try write(
        world.messages() + "/" + name.prefix(32) + ".msg",
        text.replacing(world.letter(1).id.hex, with: name))
    }
    try world.alice.put(world.letter(2), for: world.bob)
    try world.send()
    #expect(world.alice.current.refused.map(\.reason) == [.overQuota])
    try world.collect()
    #expect(world.bob.current.accepted == [world.letter(1).id])
    #expect(!files.fileExists(atPath: path))
    try world.send()
    #expect(world.alice.current.delivered.last == world.letter(2).id)
  }
}
