import DirectoryCarrier
import Foundation
import Glibc
import MessageFormat
import SharedFiles
import Synchronization
import TestSupport
import Testing

/// A directory that goes away in the middle: at each step that changes something in it, and by the end of the program.
struct DirectoryStickTests {
  private static let large = 2 * (1 << 20) + 70_000

  /// A small message, one of three files, and two of which the second replaces the first.
  private static func fill(_ world: DirectoryWorld) throws -> [Letter] {
    let slot = Slot(repeating: 7)
    let letters = [world.letter(1), world.letter(2, large), world.letter(4, 200, slot: slot)]
    try world.alice.put(letters[0], for: world.bob)
    try world.alice.put(letters[1], for: world.bob)
    try world.alice.put(world.letter(3, 150, slot: slot), for: world.bob)
    try world.send()
    try world.alice.put(letters[2], for: world.bob)
    return letters
  }

  private static func work(_ world: DirectoryWorld, _ gate: @escaping FolderStep.Gate) throws {
    try world.send(gate)
    try world.collect(gate)
    try world.send(gate)
  }

  private func expectWhole(_ world: DirectoryWorld, _ letters: [Letter], _ step: Int) throws {
    try Self.work(world) { _ in }
    for letter in letters { #expect(try world.bob.has(letter), "step \(step)") }
    let waiting = try world.alice.store.outgoing(for: [world.bob.mailbox], countMax: 9)
    #expect(waiting.isEmpty, "step \(step)")
    try world.expectNothingLeft()
  }

  /// All of it on the stick that goes away, from an empty one to an empty one.
  @Test func `a stick that is pulled out at any step leaves nothing that confuses`() throws {
    var (step, isOver) = (0, false)
    while !isOver {
      let folder = try TemporaryFolder()
      let world = try DirectoryWorld(in: folder.path)
      let stick = Stick()
      let letters = [
        world.letter(1), world.letter(2, Self.large),
        world.letter(4, 200, slot: Slot(repeating: 7)),
      ]
      try world.alice.put(letters[0], for: world.bob)
      try world.alice.put(letters[1], for: world.bob)
      stick.pullOut(at: step)
      do {
        try world.send(stick.gate)
        try world.alice.put(letters[2], for: world.bob)
        try Self.work(world, stick.gate)
        isOver = true
      } catch is FolderError {
        if try !world.alice.store.contains(letters[2].id), try !world.bob.has(letters[2]) {
          try world.alice.put(letters[2], for: world.bob)
        }
      }
      stick.plugIn()
      try expectWhole(world, letters, step)
      step += 1
    }
    #expect(step > 40)
  }

  private static func run(in path: String, until count: Int) throws {
    let world = try DirectoryWorld(in: path)
    let seen = Mutex(0)
    try work(world) { _ in
      let number = seen.withLock { seen in
        seen += 1
        return seen
      }
      if number > count { kill(getpid(), SIGKILL) }
    }
  }

  /// Every third step: the same in a process that ends there, with what its store had on the disk.
  @Test func `a program that is killed at a step goes on at its next run`() async throws {
    let counting = Stick()
    do {
      let folder = try TemporaryFolder()
      let world = try DirectoryWorld(in: folder.path)
      _ = try Self.fill(world)
      try Self.work(world, counting.gate)
    }
    #expect(counting.steps.count > 10)
    for step in stride(from: 0, to: counting.steps.count, by: 3) {
      let folder = try TemporaryFolder()
      let letters: [Letter]
      do { letters = try Self.fill(try DirectoryWorld(in: folder.path)) }
      await #expect(processExitsWith: .signal(SIGKILL)) {
        [path = folder.path as String, step = step as Int] in
        try Self.run(in: path, until: step)
      }
      try expectWhole(try DirectoryWorld(in: folder.path), letters, step)
    }
  }

  /// The files that were whole are not written again.
  @Test func `a large message goes on with the file where it was`() throws {
    let folder = try TemporaryFolder()
    let world = try DirectoryWorld(in: folder.path)
    let letter = world.letter(1, 5 << 20)
    try world.alice.put(letter, for: world.bob)
    let stick = Stick()
    stick.pullOut(at: .max)
    let other = try TemporaryFolder()
    let rehearsal = try DirectoryWorld(in: other.path)
    try rehearsal.alice.put(letter, for: rehearsal.bob)
    try rehearsal.send(stick.gate)
    let (all, fourth) = (stick.steps.count, 4 * stick.steps.count / 6)
    stick.pullOut(at: fourth)
    #expect(throws: FolderError.self) { try world.send(stick.gate) }
    let files = try DirectoryWorld.files(below: world.stick)
    #expect(files.count { !$0.hasSuffix(".tmp") } >= 2, "\(files)")
    let rest = Stick()
    try world.send(rest.gate)
    #expect(rest.steps.count < all - fourth / 2)
    try world.collect()
    #expect(try world.bob.has(letter))
  }

  @Test func `a missing directory is an error, and nothing is made below its mount point`() throws {
    let folder = try TemporaryFolder()
    let world = try DirectoryWorld(in: folder.path)
    try world.alice.put(world.letter(1), for: world.bob)
    let mountPoint = folder.path + "/mount"
    #expect(throws: DirectoryError.notThere(path: mountPoint)) { try world.send(by: mountPoint) }
    try FileManager.default.createDirectory(
      atPath: mountPoint, withIntermediateDirectories: false)
    #expect(throws: DirectoryError.notPrepared(path: mountPoint)) {
      try world.send(by: mountPoint)
    }
    #expect(try FileManager.default.contentsOfDirectory(atPath: mountPoint) == [])
    try DirectoryWorld.make(mountPoint)
    try world.send(by: mountPoint)
    #expect(world.alice.current.delivered.count == 1)
  }

  /// What is not acknowledged there is not accepted twice by one run, and acknowledged once it can be.
  @Test func `a directory that cannot be written is read once`() throws {
    let folder = try TemporaryFolder()
    let world = try DirectoryWorld(in: folder.path)
    let letters = [world.letter(1), world.letter(2)]
    for letter in letters { try world.alice.put(letter, for: world.bob) }
    try world.send()
    let stick = Stick()
    stick.refuse(FolderStep.allCases, with: EROFS)
    let run = world.bob.run(world.stick, with: [world.alice], gate: stick.gate)
    for _ in 0..<3 {
      let error = #expect(throws: FolderError.self) { try run.look() }
      #expect(error?.isReadOnly == true)
    }
    #expect(world.bob.current.accepted.count == letters.count)
    stick.plugIn()
    try run.look()
    #expect(world.bob.current.accepted.count == letters.count)
    try world.expectNothingLeft()
  }

  /// On a full disk small messages go on, and what is collected makes the room for its acknowledgement.
  @Test(.enabled(if: SmallDisk.isAllowed)) func `a full stick is an error, and empties itself`()
    throws
  {
    let folder = try TemporaryFolder()
    let world = try DirectoryWorld(in: folder.path)
    let disk = folder.path + "/small"
    try SmallDisk.mount(on: disk, byteCount: 3 << 20, home: folder.path) {
      try DirectoryWorld.make(disk)
      let (large, small) = (world.letter(1, 5 << 20), world.letter(2, 300_000))
      try world.alice.put(large, for: world.bob)
      try world.alice.put(small, for: world.bob)
      let error = #expect(throws: FolderError.self) { try world.send(by: disk) }
      #expect(error?.isFullDisk == true)
      #expect(world.alice.current.delivered == [small.id])
      // Of the other one nothing was begun.
      #expect(try DirectoryWorld.files(below: disk).count == 2)
      // Somebody fills what is left.
      try Program.run(
        ["sh", "-c", "cat /dev/zero > \(disk)/filler || true"], home: folder.path)
      try world.collect(from: disk)
      #expect(try world.bob.has(small))
      #expect(try DirectoryWorld.files(below: disk).contains { $0.hasSuffix("/acks") })
    }
  }
}
