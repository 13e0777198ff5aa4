import Testing
import WebClient

@Suite struct WebAddressTests {
  @Test(arguments: [
    "https://example.org", "https://example.org:8443/a%20b?c=d", "http://127.0.0.1:80/",
    "http://localhost", "http://[::1]:8080/x", "http://127.9.9.9",
  ])
  func `takes https and this machine's http`(_ text: String) throws {
    #expect(try WebAddress(text).text == text)
  }

  @Test(arguments: [
    "", "example.org", "ftp://example.org", "file:///etc/passwd", "http://example.org",
    "http://127.0.0.1.example.org", "http://127.0.0.1@example.org", "https://",
    "https://user:secret@example.org/", "https://example.org/#part", "https://exa mple.org",
    "https://example.org/\r\nX: y", "https://example.org/ü", "http://1270.0.0.1",
  ])
  func `refuses everything else`(_ text: String) {
    #expect { try WebAddress(text) } throws: {
      if case .addressInvalid? = $0 as? WebError { true } else { false }
    }
  }

  @Test func `a password is not in the error`() {
    #expect { try WebAddress("https://user:hunter2@example.org/") } throws: {
      !"\($0)".contains("hunter2")
    }
  }

  @Test func `an origin is scheme host and port`() throws {
    let one = try WebAddress("https://Example.org/a")
    #expect(one.hasSameOrigin(as: try WebAddress("https://example.org:443/b")))
    #expect(!one.hasSameOrigin(as: try WebAddress("https://example.org:444/a")))
    #expect(!one.hasSameOrigin(as: try WebAddress("https://sub.example.org/a")))
  }

  @Test func `a component is escaped whole`() {
    #expect(WebAddress.escaped("a/b c?#%ü-._~") == "a%2Fb%20c%3F%23%25%C3%BC-._~")
  }
}
