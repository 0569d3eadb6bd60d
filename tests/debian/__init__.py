"""The Debian package in fresh roots: built, installed, used under systemd, upgraded, removed. sh tests/debian/run"""
