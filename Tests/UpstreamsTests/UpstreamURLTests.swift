import Host
import Testing

import Upstreams

struct UpstreamURLTests {
  @Test(arguments: [
    ("git@github.com:acme/shop.git", "ssh", "github.com"),
    ("github.com:acme/shop.git", "ssh", "github.com"),
    ("ssh://git@example.org:2222/acme/shop.git", "ssh", "example.org"),
    ("git@[::1]:shop.git", "ssh", "[::1]"), ("https://example.org/shop", "https", "example.org"),
    ("https://example.org:8443/shop.git", "https", "example.org"),
    ("http://127.0.0.1:80/shop", "http", "127.0.0.1"), ("http://[::1]:80/shop", "http", "[::1]"),
    ("file:///srv/git/shop.git", "file", ""), ("/srv/git/shop.git", "file", ""),
  ])
  func `known forms are taken`(text: String, transport: String, host: String) throws {
    let url = try UpstreamURL(text)
    #expect(url.transport.rawValue == transport && url.host == host && url.text == text)
  }

  @Test(arguments: [
    "", "shop", "../shop.git", "git://example.org/shop", "ext::sh -c id", "ftp://example.org/x",
    "fd::17", "http::https://example.org/x", "-oProxyCommand=id:x", "ssh://-oProxyCommand=id/x",
    "ssh://-l@example.org/x", "--upload-pack=id", "https:///x", "ssh://git@/x", "file://shop",
    "https://example.org/a b", "https://example.org/a\nb", "https://example.org/\u{1b}[2J",
    "https://git@example.org/x", "ssh://git:secret@example.org/x", "a/b:c",
    "https://example.org/" + String(repeating: "x", count: 2_048),
  ])
  func `everything else is refused`(text: String) throws {
    #expect(throws: UpstreamError.self) { try UpstreamURL(text) }
  }

  @Test func `a password is not repeated`() {
    do {
      _ = try UpstreamURL("https://git:hunter2@example.org/shop.git")
      Issue.record("it was taken")
    } catch {
      #expect(!error.description.contains("hunter2") && error.description.contains("token-file"))
    }
  }

  @Test func `http is for this machine unless it was asked for`() throws {
    func settings(_ text: String) throws -> UpstreamSettings {
      UpstreamSettings(url: try UpstreamURL(text))
    }
    try settings("http://127.0.0.1:8080/x").requireSense()
    try settings("http://localhost/x").requireSense()
    var other = try settings("http://example.org/x")
    #expect(throws: UpstreamError.self) { try other.requireSense() }
    #expect(throws: UpstreamError.self) { try settings("http://127.evil.org/x").requireSense() }
    other.allowsPlainHTTP = true
    try other.requireSense()
  }

  @Test func `files of another transport are refused`() throws {
    var https = UpstreamSettings(url: try UpstreamURL("https://example.org/x"))
    https.keyFile = SecretFile("/k")
    #expect(throws: UpstreamError.self) { try https.requireSense() }
    var ssh = UpstreamSettings(url: try UpstreamURL("git@example.org:x"))
    ssh.keyFile = SecretFile("/a \"b")
    #expect(throws: UpstreamError.self) { try ssh.requireSense() }
    ssh.keyFile = SecretFile("/a b %d 'c'")
    try ssh.requireSense()
    // For the large files of its repository.
    ssh.proxy = "http://proxy:3128"
    try ssh.requireSense()
    var file = UpstreamSettings(url: try UpstreamURL("file:///x"))
    file.proxy = "http://proxy:3128"
    #expect(throws: UpstreamError.self) { try file.requireSense() }
    https.keyFile = nil
    for proxy in ["proxy:3128", "http://user:word@proxy:3128", "file:///x", "http://"] {
      https.proxy = proxy
      #expect(throws: UpstreamError.self, "\(proxy)") { try https.requireSense() }
    }
  }
}
