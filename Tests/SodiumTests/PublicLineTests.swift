import Sodium
import Testing

@Suite struct PublicLineTests {
  private let line = Vectors.line

  @Test func `reads what it prints`() throws {
    let identity = Identity(generating: try IdentityName("a.b_c-d@E9")).public
    #expect(try PublicIdentity(line: identity.line) == identity)
    #expect(try PublicIdentity(line: line) == Vectors.identity().public)
  }

  @Test func `refuses any other character in the keys`() throws {
    let characters = Array(line)
    for index in 16..<152 {
      for replacement: Character in ["A", "b", "=", "+"] where replacement != characters[index] {
        var changed = characters
        changed[index] = replacement
        #expect(throws: SodiumError.damaged("public line")) {
          try PublicIdentity(line: String(changed))
        }
      }
    }
  }

  @Test func `refuses line that ends too early`() {
    for count in "distro-public-".count..<153 where count != "distro-public-1".count {
      let text = String(line.prefix(count))
      #expect(throws: SodiumError.truncated("public line")) { try PublicIdentity(line: text) }
    }
  }

  static let refused: [(line: String, error: SodiumError)] = [
    ("", .notKeyFile("public line")),
    ("ssh-ed25519 AAAA", .notKeyFile("public line")),
    (" " + Vectors.line, .notKeyFile("public line")),
    ("distro-secret-1 vector", .secretInsteadOfPublic("public line")),
    (
      Vectors.line.replacing("public-1", with: "public-2"),
      .unknownVersion("public line", version: "distro-public-2")
    ),
    (Vectors.line + " more", .damaged("public line")),
    (Vectors.line.replacing("vector", with: "../etc"), .invalidName("../etc")),
    (Vectors.line + "\n", .invalidName("vector\n")),
  ]

  @Test(arguments: refused) func `refuses`(line: String, error: SodiumError) {
    #expect(throws: error) { try PublicIdentity(line: line) }
  }

  /// With checksums that fit: 1 (a point of order 4), 0 (low order), p (not canonical) and a point
  /// off the curve.
  @Test(arguments: PublicKeyHazard.allCases) func `refuses key that nobody can hold`(
    hazard: PublicKeyHazard
  ) throws {
    let line = try hazard.line()
    #expect(throws: SodiumError.unusableKey("public line")) { try PublicIdentity(line: line) }
  }

  @Test(arguments: ["", ".hidden", "-flag", "a/b", "a b", "ü", String(repeating: "a", count: 65)])
  func `refuses name`(text: String) {
    #expect(throws: SodiumError.invalidName(text)) { try IdentityName(text) }
  }

  @Test func `accepts name of greatest length`() throws {
    let text = String(repeating: "a", count: IdentityName.byteCountMax)
    #expect(try IdentityName(text).text == text)
  }
}
