import Foundation
import Git
import GitModel
import PatchText
import Patching
import Testing

/// One file of `Vectors`: a pack or a patch text, and whether it is in the one form of docs/message-format.md.
///
/// All of them were written by a program in Python from the document alone, which shares no code with ours: the SHA-1 of
/// `hashlib`, zlib, and the rest by hand.
struct InnerVector: Sendable, CustomTestStringConvertible {
  let name: String
  private let fields: [String: [String]]

  var testDescription: String { name }

  var isAccepted: Bool { fields["expect"] == ["accepted"] }
  var isRefused: Bool { fields["expect"] == ["refused"] }
  /// In the one form, and yet its content cannot be.
  var doesNotApply: Bool { fields["expect"] == ["does-not-apply"] }

  static let all: [InnerVector] = {
    let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Vectors")
    do {
      return try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted().map {
        try InnerVector(directory.appendingPathComponent($0))
      }
    } catch {
      preconditionFailure("the vectors cannot be read: \(error)")
    }
  }()

  static let packs = all.filter { !$0.name.hasPrefix("patch-text") }
  static let patches = all.filter { $0.name.hasPrefix("patch-text") }

  private init(_ file: URL) throws {
    var fields: [String: [String]] = [:]
    for line in try String(contentsOf: file, encoding: .utf8).split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      fields[String(parts[0]), default: []].append(String(parts[1].dropFirst()))
    }
    name = file.deletingPathExtension().lastPathComponent
    self.fields = fields
  }

  func values(_ key: String) -> [String] { fields[key] ?? [] }

  func id(_ key: String) throws -> ObjectID { try #require(ObjectID(hex: values(key).first ?? "")) }

  func bytes() throws -> [UInt8] { try Self.bytes(hex: try #require(values("bytes").first)) }

  static func bytes(hex: some StringProtocol) throws -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    try #require(digits.count == hex.count && digits.count % 2 == 0)
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}

/// The two forms of what a payload holds, as another implementation writes them.
struct InnerVectorTests {
  private let cases: CaseRepository
  private let repository: Repository

  init() throws {
    cases = try CaseRepository([])
    repository = try Repository(opening: cases.path)
  }

  @Test func `there are vectors of both forms, accepted and refused`() {
    for vectors in [InnerVector.packs, InnerVector.patches] {
      #expect(vectors.count(where: \.isAccepted) >= 3)
      #expect(vectors.count(where: \.isRefused) >= 18)
    }
  }

  /// The objects of the vector's tree that are missing; throws for what is no pack in the one form.
  private func receive(_ vector: InnerVector) throws -> (QuarantinedPack, missing: [ObjectID]) {
    let receiver = try PackReceiver(for: repository)
    try receiver.append(try vector.bytes())
    let pack = try receiver.finish()
    return (pack, try pack.objects.missingObjects(ofTree: vector.id("tree"), known: nil))
  }

  @Test(arguments: InnerVector.packs.filter(\.isAccepted))
  func `a pack in the one form is taken, with all of its objects`(vector: InnerVector) throws {
    let (pack, missing) = try receive(vector)
    #expect(missing.isEmpty)
    for object in vector.values("object") {
      let words = object.split(separator: " ")
      let id = try #require(ObjectID(hex: words[1]))
      #expect(pack.objects.contains(id), "\(object)")
    }
  }

  @Test(arguments: InnerVector.packs.filter(\.isRefused))
  func `a pack in another form is refused`(vector: InnerVector) throws {
    do {
      let (_, missing) = try receive(vector)
      #expect(!missing.isEmpty, "\(vector.values("kind"))")
    } catch is GitError {}
  }

  @Test(arguments: InnerVector.patches.filter(\.isAccepted))
  func `a patch in the one form prints to the same bytes`(vector: InnerVector) throws {
    let bytes = try vector.bytes()
    #expect(try TreePatch.parse(bytes, limits: .usual).printed() == bytes)
  }

  @Test(arguments: InnerVector.patches.filter(\.isRefused))
  func `a patch in another form is refused`(vector: InnerVector) throws {
    let bytes = try vector.bytes()
    #expect(throws: PatchTextError.self) { try TreePatch.parse(bytes, limits: .usual) }
  }

  /// Its text is in the one form: what is wrong is found when it is applied.
  @Test(arguments: InnerVector.patches.filter(\.doesNotApply))
  func `a piece that does not inflate does not apply`(vector: InnerVector) throws {
    let patch = try TreePatch.parse(try vector.bytes(), limits: .usual)
    let before = try tree(of: vector.values("old"))
    var overlay = ObjectOverlay(over: repository.objects)
    let error = #expect(throws: PatchingError.self) {
      try TreePatch.apply(patch, to: before, in: &overlay, limits: .usual)
    }
    guard case .text(.doesNotApply) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  /// docs/message-format.md, "Limits": a type change is two sections of one path.
  @Test func `so many paths are the limit, however many sections they have`() throws {
    func mode(_ number: Int) -> String {
      let (path, id) = ("p\(100_000 + number)", String(repeating: "1", count: 40))
      return "diff --git \"a/\(path)\" \"b/\(path)\"\nold mode 100644\nnew mode 100755\n"
        + "index \(id)..\(id)\n"
    }
    let most = (0..<PatchingLimits.carried.pathCountMax).map(mode)
    let bytes = Array(most.joined().utf8)
    #expect(try TreePatch.parse(bytes, limits: .carried).sections.count == 20_000)
    #expect(throws: PatchTextError.overLimit(.paths, limit: 20_000, actual: 20_001)) {
      try TreePatch.parse(bytes + Array(mode(20_000).utf8), limits: .carried)
    }
  }

  private func tree(of files: [String]) throws -> ObjectID {
    var edits: [TreeEdit] = []
    for file in files {
      let words = file.split(separator: " ")
      let mode = try #require(FileMode(octal: words[1].utf8))
      let id =
        mode == .submodule
        ? try #require(ObjectID(hex: words[2]))
        : try repository.objects.write(.blob, InnerVector.bytes(hex: words[2]))
      edits.append(
        TreeEdit(
          name: try InnerVector.bytes(hex: words[0])[...],
          target: .entry(TreeEntry(mode: mode, id: id))))
    }
    return try repository.objects.write(.tree, Tree.empty.edited(edits))
  }

  @Test func `a patch of every kind leads to the tree that it should`() throws {
    let vector = try #require(InnerVector.patches.first { $0.name == "patch-text" })
    let before = try tree(of: vector.values("old"))
    #expect(try before == vector.id("before"))
    var overlay = ObjectOverlay(over: repository.objects)
    let patch = try TreePatch.parse(try vector.bytes(), limits: .usual)
    #expect(
      try TreePatch.apply(patch, to: before, in: &overlay, limits: .usual) == vector.id("after"))
  }
}
