import Foundation
import Git
import GitModel
import TestSupport
import Testing

struct PackTests {
  private static func source(seed: UInt64 = 7) throws -> (TestRepository, ObjectID) {
    let test = try TestRepository()
    var generator = SeededGenerator(seed: seed)
    for count in [0, 1, 100, 65_534, 65_535, 65_536, 131_070, 300_000] {
      try test.write("d\(count % 3)/f\(count)", generator.bytes(count))
    }
    return (test, try test.commit(["text": "words\n"]))
  }

  private static func bytes(_ stream: consuming PackStream) throws -> [UInt8] {
    var bytes: [UInt8] = []
    while let piece = try stream.next() {
      #expect(piece.count < 200_000)
      bytes += piece
    }
    return bytes
  }

  /// The commit, its tree and all below, as a pack.
  private static func pack(_ test: TestRepository, _ tip: ObjectID) throws -> [UInt8] {
    let objects = try test.open().objects
    let list = try objects.objects(ofCommits: [tip], notIn: nil)
    return try bytes(PackStream(list, from: objects))
  }

  @Test func `git takes our pack strictly`() throws {
    let (test, tip) = try Self.source()
    let pack = try Self.pack(test, tip)
    let target = try TestRepository()
    try target.git(["index-pack", "--strict", "--stdin"], input: pack)
    try target.git(["update-ref", "refs/heads/main", tip.hex])
    try target.git(["fsck", "--strict", "--full"])
    #expect(try target.text(["ls-tree", "-r", "main"]) == test.text(["ls-tree", "-r", "main"]))
    #expect(try Self.pack(test, tip) == pack)
  }

  @Test(arguments: [997, 65_536, 1 << 20])
  func `receives what was sent`(pieceByteCount: Int) throws {
    let (test, tip) = try Self.source(seed: UInt64(pieceByteCount))
    let pack = try Self.pack(test, tip)
    let target = try TestRepository()
    let repository = try target.open()
    let receiver = try PackReceiver(for: repository)
    // Single bytes through the first objects' headers, the given pieces after.
    var rest = pack[...]
    while !rest.isEmpty {
      let piece = rest.prefix(rest.startIndex < 2_000 ? 1 : pieceByteCount)
      try receiver.append(Array(piece))
      rest = rest.dropFirst(piece.count)
    }
    let quarantined = try receiver.finish()
    #expect(!repository.objects.contains(tip))
    #expect(throws: (any Error).self) { try target.git(["cat-file", "-e", tip.hex]) }
    let commit = try quarantined.objects.commit(tip)
    #expect(try quarantined.objects.missingObjects(ofTree: commit.tree, known: nil).isEmpty)
    #expect(quarantined.objectCount == 14)
    let kept = try quarantined.keep(.umask)
    #expect(repository.objects.contains(tip))
    // Nothing leads to it yet.
    try target.git(["gc", "-q", "--prune=now"])
    try target.git(["repack", "-q", "-a", "-d"])
    #expect(try target.text(["cat-file", "-t", tip.hex]) == "commit")
    try target.git(["update-ref", "refs/heads/main", tip.hex])
    #expect(try KeptPack.leftovers(in: repository).count == 1)
    try kept.release()
    #expect(try KeptPack.leftovers(in: repository).isEmpty)
    try target.git(["fsck", "--strict", "--full"])
    try target.git(["reset", "-q", "--hard"])
    #expect(try target.text(["status", "--porcelain"]).isEmpty)
  }

  @Test func `abandoned pack leaves no file`() throws {
    let (test, tip) = try Self.source()
    let pack = try Self.pack(test, tip)
    let target = try TestRepository()
    let before = try target.files(below: ".git")
    do {
      let receiver = try PackReceiver(for: target.open())
      try receiver.append(Array(pack.prefix(1_000)))
      #expect(try target.files(below: ".git") != before)
    }
    #expect(try target.files(below: ".git") == before)
    do {
      let receiver = try PackReceiver(for: target.open())
      try receiver.append(pack)
      _ = try receiver.finish()
    }
    #expect(try target.files(below: ".git") == before)
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: target.path + "/.git/objects").sorted()
        == ["info", "pack"])
  }

  @Test func `a pack of the same objects is another pack, which is removed alone`() throws {
    let (test, tip) = try Self.source()
    let pack = try Self.pack(test, tip)
    let target = try TestRepository()
    var kept: [KeptPack] = []
    for _ in 0..<2 {
      let receiver = try PackReceiver(for: target.open())
      try receiver.append(pack)
      kept.append(try receiver.finish().keep(.umask))
    }
    #expect(try target.files(below: ".git/objects").count == 6)
    try kept[0].release()
    try target.git(["fsck", "--full"])
    try kept[1].remove()
    #expect(try target.files(below: ".git/objects").count == 2)
    try target.git(["fsck", "--full"])
  }

  @Test func `packs objects that are only in memory`() throws {
    let contents = (0..<20).map { [UInt8](repeating: $0, count: Int($0)) }
    let ids = try contents.map { content throws in try ObjectDatabase.hash(.blob, content) }
    let byID = Dictionary(uniqueKeysWithValues: zip(ids, contents))
    let stream = PackStream(ids.map { ObjectReference(id: $0, kind: .blob) }) {
      (object: ObjectReference) throws(GitError) -> [UInt8] in byID[object.id, default: []]
    }
    let target = try TestRepository()
    let receiver = try PackReceiver(for: target.open())
    try receiver.append(Self.bytes(stream))
    _ = try receiver.finish().keep(.umask)
    for id in ids { #expect(try target.git(["cat-file", "blob", id.hex]) == byID[id]) }
  }

  @Test func `refuses every pack that was cut off`() throws {
    let (test, tip) = try Self.source()
    let pack = try Self.pack(test, tip)
    let target = try TestRepository()
    for count in [0, 3, 11, 12, 13, 100, 70_000, pack.count - 21, pack.count - 1] {
      let receiver = try PackReceiver(for: target.open())
      try receiver.append(Array(pack.prefix(count)))
      #expect(throws: GitError.malformedPack(.truncated)) { _ = try receiver.finish() }
    }
  }

  @Test func `refuses pack that goes on`() throws {
    let (test, tip) = try Self.source()
    let receiver = try PackReceiver(for: test.open())
    let pack = try Self.pack(test, tip)
    #expect(throws: GitError.malformedPack(.trailingBytes)) { try receiver.append(pack + [0]) }
  }

  @Test func `refuses or reads the same from every damaged pack`() throws {
    let test = try TestRepository()
    let tip = try test.commit(["a": "1\n", "b/c": "2\n"])
    let pack = try Self.pack(test, tip)
    let target = try TestRepository()
    for position in pack.indices {
      for bit in [0, 6] {
        var damaged = pack
        damaged[position] ^= 1 << bit
        let error = #expect(throws: GitError.self) {
          let receiver = try PackReceiver(for: target.open())
          try receiver.append(damaged)
          _ = try receiver.finish()
        }
        switch error {
        case .malformedPack, .tooManyPackedObjects, .packedObjectTooLarge: break
        default: Issue.record("byte \(position), bit \(bit): \(String(describing: error))")
        }
      }
    }
    #expect(try target.files(below: ".git/objects").isEmpty)
  }

  @Test func `refuses pack beyond its limits`() throws {
    let (test, tip) = try Self.source()
    let pack = try Self.pack(test, tip)
    let target = try test.open()
    #expect(throws: GitError.tooManyPackedObjects(count: 14, countMax: 13)) {
      try PackReceiver(for: target, limits: PackLimits(objectCountMax: 13)).append(pack)
    }
    #expect(throws: GitError.packedObjectTooLarge(byteCount: 300_000, byteCountMax: 299_999)) {
      try PackReceiver(for: target, limits: PackLimits(objectByteCountMax: 299_999)).append(pack)
    }
  }

  @Test func `refuses compressed pack of git`() throws {
    let (test, tip) = try Self.source()
    let pack = try test.git(
      ["pack-objects", "--stdout", "--revs", "-q"], input: Array(tip.hex.utf8))
    let receiver = try PackReceiver(for: test.open())
    #expect(throws: GitError.malformedPack(.notStored)) { try receiver.append(pack) }
  }

  @Test func `refuses what is no pack`() throws {
    let test = try TestRepository()
    let target = try test.open()
    let cases: [(PackFault, [UInt8])] = [
      (.notPack, Array("PUCK".utf8) + [0, 0, 0, 2, 0, 0, 0, 1]),
      (.notPack, Array("PACK".utf8) + [0, 0, 0, 3, 0, 0, 0, 1]),
      (.empty, Array("PACK".utf8) + [0, 0, 0, 2, 0, 0, 0, 0]),
      (.kindNotAllowed, Array("PACK".utf8) + [0, 0, 0, 2, 0, 0, 0, 1, 0x60]),
      (.kindNotAllowed, Array("PACK".utf8) + [0, 0, 0, 2, 0, 0, 0, 1, 0x41]),
      (.sizeNotCanonical, Array("PACK".utf8) + [0, 0, 0, 2, 0, 0, 0, 1, 0xb1, 0x00]),
      (
        .sizeNotCanonical,
        Array("PACK".utf8) + [0, 0, 0, 2, 0, 0, 0, 1] + [UInt8](repeating: 0xb1, count: 20)
      ),
      (.notStored, Array("PACK".utf8) + [0, 0, 0, 2, 0, 0, 0, 1, 0x31, 0x78, 0x9c]),
      (
        .notStored,
        Array("PACK".utf8) + [0, 0, 0, 2, 0, 0, 0, 1, 0x32, 0x78, 0x01, 0, 1, 0, 0xfe, 0xff]
      ),
    ]
    for (fault, bytes) in cases {
      #expect(throws: GitError.malformedPack(fault), "\(bytes)") {
        try PackReceiver(for: target).append(bytes)
      }
    }
  }
}
