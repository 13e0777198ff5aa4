import Foundation
import Sodium
import TestSupport
import Testing

private let onATerminal = ConditionTrait.enabled(
  if: PseudoTerminal.areThere, "needs /dev/pts, which a bare chroot lacks")

@Suite struct PassphraseTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// Whether it opens a file that was locked with `text`.
  private func isSame(_ passphrase: Passphrase, as text: String) throws -> Bool {
    let path = "\(folder.path)/\(UUID().uuidString)"
    let cost = PassphraseCost(operations: 1, memoryByteCount: 8_192)
    let right = try SodiumTests.passphrase(text)
    try KeyFile.createSecret(Vectors.identity(), at: path, passphrase: right, cost: cost)
    do {
      _ = try KeyFile.readSecret(path).unlock(passphrase: passphrase)
      return true
    } catch SodiumError.wrongPassphrase {
      return false
    }
  }

  @Test(arguments: ["right", "right\n", "right\nsecond line\n"])
  func `takes the first line of a file`(content: String) throws {
    let passphrase = try Passphrase(file: folder.file(content))
    #expect(try isSame(passphrase, as: "right"))
  }

  @Test func `keeps spaces at the ends`() throws {
    let passphrase = try Passphrase(file: folder.file(" right \n"))
    #expect(try isSame(passphrase, as: " right "))
    #expect(try !isSame(passphrase, as: "right"))
  }

  @Test func `refuses file that is open to others missing or no file`() throws {
    let open = try folder.file("right\n", mode: 0o644)
    #expect(throws: SodiumError.openToOthers(open, mode: 0o644)) {
      _ = try Passphrase(file: open)
    }
    let missing = "\(folder.path)/none"
    #expect(throws: SodiumError.notThere(missing)) { _ = try Passphrase(file: missing) }
    let directory = folder.path
    #expect(throws: SodiumError.notRegularFile(directory)) { _ = try Passphrase(file: directory) }
  }

  @Test func `refuses empty and too long lines`() throws {
    for content in ["", "\n", "\nright\n"] {
      let path = try folder.file(content)
      #expect(throws: SodiumError.passphraseEmpty) { _ = try Passphrase(file: path) }
    }
    let longest = String(repeating: "x", count: Passphrase.byteCountMax)
    _ = try Passphrase(file: folder.file(longest))
    let path = try folder.file(longest + "x")
    #expect(throws: SodiumError.passphraseTooLong(byteCountMax: Passphrase.byteCountMax)) {
      _ = try Passphrase(file: path)
    }
  }

  @Test(onATerminal) func `asks once without showing the answer`() throws {
    let terminal = try PseudoTerminal(typing: [("passphrase: ", "right\r")])
    let passphrase = try Passphrase.ask(prompt: "passphrase", twice: false, terminal: terminal.path)
    #expect(terminal.showsWhatIsTyped)
    #expect(terminal.screen() == "passphrase: \r\n")
    #expect(try isSame(passphrase, as: "right"))
  }

  @Test(onATerminal) func `asks twice`() throws {
    let terminal = try PseudoTerminal(typing: [
      ("passphrase: ", "right\n"), ("once more: ", "right\n"),
    ])
    let passphrase = try Passphrase.ask(prompt: "passphrase", twice: true, terminal: terminal.path)
    #expect(terminal.showsWhatIsTyped)
    #expect(terminal.screen() == "passphrase: \r\npassphrase, once more: \r\n")
    #expect(try isSame(passphrase, as: "right"))
  }

  static let edited: [(keys: String, passphrase: String)] = [
    ("rightx\u{7f}\r", "right"),
    ("x\u{8}\u{8}right\r", "right"),
    ("wrong\u{15}right\r", "right"),
    ("rightä\u{7f}\r", "right"),
    ("right\u{4}", "right"),
    ("ri ght\r", "ri ght"),
  ]

  @Test(onATerminal, arguments: edited) func `lets the person correct the line`(
    keys: String, passphrase: String
  ) throws {
    let terminal = try PseudoTerminal(typing: [("?: ", keys)])
    let typed = try Passphrase.ask(prompt: "?", twice: false, terminal: terminal.path)
    #expect(terminal.screen() == "?: \r\n")
    #expect(try isSame(typed, as: passphrase))
  }

  static let refused: [(script: [String], error: SodiumError)] = [
    (["right\r", "wrong\r"], .passphrasesDiffer),
    (["\r"], .passphraseEmpty),
    (["rig\u{3}"], .interrupted),
    (["\u{4}"], .interrupted),
    (["right\r", "ri\u{3}"], .interrupted),
    (
      [String(repeating: "x", count: Passphrase.byteCountMax + 1)],
      .passphraseTooLong(byteCountMax: Passphrase.byteCountMax)
    ),
  ]

  @Test(onATerminal, arguments: refused) func `refuses answer and shows typing again`(
    script: [String], error: SodiumError
  ) throws {
    let terminal = try PseudoTerminal(typing: script.map { (": ", $0) })
    #expect(throws: error) {
      _ = try Passphrase.ask(prompt: "?", twice: true, terminal: terminal.path)
    }
    #expect(terminal.showsWhatIsTyped)
    let screen = terminal.screen()
    #expect(!screen.contains("ri") && !screen.contains("xx"))
  }

  @Test func `refuses to ask where there is no terminal`() throws {
    for path in ["/dev/null", "\(folder.path)/none"] {
      #expect(throws: SodiumError.noTerminal) {
        _ = try Passphrase.ask(prompt: "?", twice: false, terminal: path)
      }
    }
  }
}
