import Host
import TestSupport
import Testing
import Upstreams

/// Where submodules come from, and with which credentials.
struct SubmoduleURLTests {
  private static let upstreams = [
    "https://example.org/acme/shop.git", "https://example.org:8443/acme/shop/",
    "git@example.org:acme/shop.git", "ssh://git@example.org:2222/acme/shop.git",
    "file:///srv/git/acme/shop.git",
  ]

  @Test(arguments: upstreams, ["../lib.git", "./lib", "../../other/lib.git/", ".././../lib"])
  func `a relative URL means what git takes it for`(upstream: String, url: String) throws {
    let folder = try PipelineFolder()
    let repository = try PipelineRepository(making: folder.path("shop"), in: folder)
    try repository.git("remote", "add", "origin", upstream)
    try repository.write(
      ".gitmodules", "[submodule \"lib\"]\n\tpath = lib\n\turl = \(url)\n")
    try repository.git(
      "update-index", "--add", "--cacheinfo", "160000,\(String(repeating: "1", count: 40)),lib")
    try repository.git("submodule", "-q", "init")
    let expected = try repository.git("config", "submodule.lib.url")
    #expect(try UpstreamURL(upstream).submodule(url).text == expected)
  }

  @Test(arguments: upstreams)
  func `more steps up than the path has lead nowhere`(upstream: String) throws {
    for count in 5...7 {
      let url = String(repeating: "../", count: count) + "evil.example.org/lib.git"
      #expect(throws: UpstreamError.self, "\(url)") { try UpstreamURL(upstream).submodule(url) }
    }
  }

  @Test func `credentials stay with the upstream's own server`() throws {
    var settings = UpstreamSettings(url: try UpstreamURL("https://example.org/acme/shop.git"))
    settings.token = .init(file: SecretFile("/keys/token"), user: "git")
    let own = try settings.forSubmodule("https://example.org/acme/lib.git")
    #expect(own.token == settings.token && own.url.text == "https://example.org/acme/lib.git")
    #expect(try settings.forSubmodule("../lib").url.text == "https://example.org/acme/lib")
    for url in [
      "https://example.com/acme/lib.git", "https://example.org:8443/acme/lib.git",
      "http://example.org/acme/lib.git", "git@example.org:acme/lib.git",
      "ssh://git@example.org/acme/lib.git", "https://example.org.evil.com/lib", "/srv/git/lib.git",
      "file:///srv/git/lib.git", "https://git:x@example.org/acme/lib.git", "ext::sh -c id",
    ] {
      #expect(throws: UpstreamError.self, "\(url)") { try settings.forSubmodule(url) }
    }
    let local = UpstreamSettings(url: try UpstreamURL("file:///srv/git/shop.git"))
    #expect(throws: UpstreamError.self) { try local.forSubmodule("file:///srv/git/lib.git") }
    #expect(try local.forSubmodule("../lib.git").url.text == "file:///srv/git/lib.git")
    let ssh = UpstreamSettings(url: try UpstreamURL("git@example.org:acme/shop.git"))
    #expect(throws: UpstreamError.self) { try ssh.forSubmodule("root@example.org:acme/lib.git") }
  }
}
