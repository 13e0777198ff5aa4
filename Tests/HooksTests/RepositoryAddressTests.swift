import Hooks
import Testing

@Suite struct RepositoryAddressTests {
  @Test(arguments: [
    "git@github.com:acme/shop.git", "github.com:acme/shop", "ssh://git@github.com/acme/shop.git",
    "ssh://git@github.com:22/acme/shop", "ssh://git@ssh.github.com:443/acme/shop.git",
    "https://github.com/acme/shop", "https://github.com/acme/shop.git",
    "https://user:token@github.com:443/acme/shop.git", "https://GitHub.com/Acme/Shop/",
    "git://github.com/acme/shop.git", "git@github.com:/acme/shop.git",
  ])
  func `all forms of one address are equal`(text: String) {
    #expect(RepositoryAddress(text) == RepositoryAddress("git@github.com:acme/shop.git"))
  }

  @Test(arguments: [
    "git@github.com:acme/shop2.git", "git@gitlab.com:acme/shop.git", "acme/shop",
    "git@github.com:other/acme/shop.git", "https://github.com.example/acme/shop",
    "https://example.org/?x=github.com/acme/shop", "https://github.com@example.org/acme/shop", "",
  ])
  func `another repository is another address`(text: String) {
    #expect(RepositoryAddress(text) != RepositoryAddress("git@github.com:acme/shop.git"))
  }

  @Test func `Bitbucket Data Center has a path of its own by https`() {
    let ssh = RepositoryAddress("ssh://git@bitbucket.acme.example:7999/acme/shop.git")
    #expect(RepositoryAddress("https://bitbucket.acme.example/scm/ACME/shop.git") == ssh)
    #expect(RepositoryAddress("https://bitbucket.acme.example/bitbucket/scm/acme/shop") == ssh)
  }

  @Test func `an IPv6 address is a host`() {
    #expect(RepositoryAddress("ssh://git@[::1]:22/a/b.git").host == "[::1]")
  }
}
