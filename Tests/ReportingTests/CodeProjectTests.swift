import Reporting
import Testing

@Suite struct CodeProjectTests {
  @Test(arguments: [
    ("git@github.com:acme/shop.git", CodeHost.github, "acme/shop"),
    ("ssh://git@github.com/acme/shop.git", .github, "acme/shop"),
    ("https://github.com/acme/shop", .github, "acme/shop"),
    ("https://github.com/acme/shop/", .github, "acme/shop"),
    ("git@gitlab.com:group/sub/shop.git", .gitlab, "group/sub/shop"),
    ("ssh://git@bitbucket.example.org:7999/PROJ/shop.git", .bitbucketDataCenter, "PROJ/shop"),
    ("https://bitbucket.example.org/scm/PROJ/shop.git", .bitbucketDataCenter, "PROJ/shop"),
    ("git@bitbucket.org:acme/shop.git", .bitbucketCloud, "acme/shop"),
  ])
  func `a project follows from a remote`(_ remote: String, _ host: CodeHost, _ project: String) {
    #expect(CodeProject(remote: remote, of: host)?.description == project)
  }

  @Test(arguments: [
    "shop", "/srv/git/shop.git", "git@github.com:shop.git", "git@github.com:a/b/c.git",
    "https://github.com/", "https://github.com/acme/..", "git@github.com:../shop",
    "git@github.com:acme/sh op.git", "git@github.com:acme//shop",
  ])
  func `what is no project of the host is none`(_ remote: String) {
    #expect(CodeProject(remote: remote, of: .github) == nil)
  }

  @Test func `a number is a project of GitLab's alone`() {
    #expect(CodeProject("42", of: .gitlab) != nil)
    #expect(CodeProject("42", of: .github) == nil)
    #expect(CodeProject("shop", of: .gitlab) == nil)
  }
}
