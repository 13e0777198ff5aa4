import Foundation
import MessageFormat
import Sealing
import Sodium
import Testing

/// One file of `Vectors`: what a message was made from, its chunks, and what becomes of it.
///
/// All of them were written by a program that shares no code with ours: protobuf and git objects by hand, BLAKE2b by
/// Python's hashlib 3, Ed25519, X25519 and Poly1305 by its `cryptography` 48 (OpenSSL), HChaCha20, ChaCha20, HSalsa20,
/// Salsa20, sealed box and secretstream written out. docs/message-format.md, "Worked example", says which values are
/// fixed.
struct Vector: Sendable, CustomTestStringConvertible {
  let name: String
  private let fields: [String: [String]]

  var testDescription: String { name }

  /// What the header says becomes of it: `opened`, or the kind of failure.
  var expect: String { fields["expect"]?.first ?? "" }

  static let all: [Vector] = {
    do {
      return try FileManager.default.contentsOfDirectory(atPath: directory.path).sorted()
        .map { try Vector(file: $0) }
    } catch {
      preconditionFailure("the vectors cannot be read: \(error)")
    }
  }()

  static func named(_ name: String) throws -> Vector {
    guard let vector = all.first(where: { $0.name == name }) else { throw NoSuchField(name) }
    return vector
  }

  private static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("Vectors")

  /// Lines of `key: value`; a key may come several times.
  private init(file: String) throws {
    let text = try String(
      contentsOf: Self.directory.appendingPathComponent(file), encoding: .utf8)
    var fields: [String: [String]] = [:]
    for line in text.split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      guard parts.count == 2, parts[1].hasPrefix(" ") else { throw NoSuchField(String(line)) }
      fields[String(parts[0]), default: []].append(String(parts[1].dropFirst()))
    }
    name = String(file.prefix { $0 != "." })
    self.fields = fields
  }

  func text(_ key: String) throws -> String {
    guard let value = fields[key]?.first else { throw NoSuchField(key) }
    return value
  }

  func bytes(_ key: String) throws -> [UInt8] { try Self.bytes(hex: text(key)) }

  func chunks() throws -> [[UInt8]] { try (fields["chunk"] ?? []).map { try Self.bytes(hex: $0) } }

  /// Who reads it.
  func reader() throws -> Identity { try identity("reader-seed") }

  func signer() throws -> Identity { try identity("signer-seed") }

  func trusted() throws -> PublicIdentity { try PublicIdentity(line: text("signer")) }

  private func identity(_ key: String) throws -> Identity {
    let seed = try bytes(key)
    return Identity(name: try IdentityName("vector"), seed: SecretBytes(copying: seed.span))
  }

  private static func bytes(hex: String) throws -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue)
    guard digits.count == hex.count, digits.count % 2 == 0 else { throw NoSuchField(hex) }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] << 4 | digits[$0 + 1]) }
  }
}

struct NoSuchField: Error {
  let field: String

  init(_ field: String) { self.field = field }
}
