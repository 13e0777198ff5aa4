import MessageFormat
import Testing

@Suite struct StreamNameTests {
  @Test func `remotes are compared by their bytes, not by what a reader sees`() throws {
    let (composed, decomposed) = ("h:caf\u{e9}", "h:cafe\u{301}")
    #expect(composed == decomposed, "to Swift's text they are one")
    #expect(try RemoteName(composed) != RemoteName(decomposed))
    #expect(try Set([RemoteName(composed), RemoteName(decomposed)]).count == 2)
  }

  @Test(arguments: ["", "a\u{1b}[31mb", "a\nb", "a\u{9b}b"])
  func `a remote without text, or with control characters, is refused`(_ text: String) {
    #expect(throws: FormatError.invalid(field: "remote")) { try RemoteName(text) }
  }

  @Test func `a remote is as long as the limit says, and no longer`() throws {
    let longest = String(repeating: "r", count: Limits.remoteByteCountMax)
    #expect(try RemoteName(longest).text == longest)
    #expect(throws: FormatError.overLimit(field: "remote", limit: 1_024, actual: 1_025)) {
      try RemoteName(longest + "r")
    }
  }

  @Test func `streams differ in remote or branch`() throws {
    let shop = try stream("h:shop", "refs/heads/main")
    #expect(try shop == stream("h:shop", "refs/heads/main"))
    #expect(try shop != stream("h:shop", "refs/heads/next"))
    #expect(try shop != stream("h:blog", "refs/heads/main"))
    #expect("\(shop)" == "h:shop main")
  }
}
